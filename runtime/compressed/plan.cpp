// What is known of a method with compressed messages before it runs: its checks, the bits that it will send, and a sentence for `orrery check`.
#include <fmt/format.h>

#include "runtime/compressed/compressed.hpp"
#include "runtime/compressed/laplacian.hpp"
#include "runtime/network/mixing.hpp"

namespace orrery {

int64_t known_message_bits(const CompressedSpec& spec, const Compressor* compressor, const BankShape& shape,
                           int64_t real_bits, int64_t steps) {
  int64_t bits = 0;
  for (int64_t slot = spec.starts_apart() ? 1 : 0; slot < steps; ++slot)
    bits += spec.compresses() ? compressor->bits(shape, real_bits, slot) : shape.parameters * real_bits;
  return bits;
}

BankShape bank_shape(const std::vector<Tensor>& layout, int64_t parameters) {
  BankShape shape{.parameters = parameters};
  for (const Tensor& t : layout) shape.tensors.push_back(t.shape);
  return shape;
}

void check_compressed_parts(const Arm& arm, const Network& network, const BankShape& shape) {
  const CompressedSpec& spec = *arm.algorithm->compressed();
  if (spec.compresses()) arm.compressor->check(shape);
  if (spec.compresses()) {
    const CompressorClass c = arm.compressor->traits(shape);
    if (!spec.star() && c.keeps_state && c.alike)
      throw ExperimentError(
          fmt::format("{}: its factors are means over all workers, which nobody has on a graph; set "
                      "shared = false",
                      arm.params->place("compressor.shared")));
    if (spec.is_flow() && spec.flow == CompressedSpec::Flow::direct && c.linear && !c.alike)
      throw ExperimentError(
          fmt::format("{}: gives every node its own coordinates or direction, and in a direct flow what "
                      "nodes send then does not cancel where they agree; set shared = true",
                      arm.params->place("compressor.shared")));
  }
  check_dual_start(spec, network.spec().workers, shape.parameters);
  if (!spec.star() && !spec.unit_laplacian)
    check_symmetric(network, arm.algorithm->kind(), arm.params->place("network.graph.mixing"));
}

int64_t compressed_messages(const Network& network, const CompressedSpec& spec) {
  if (spec.star()) return network.spec().workers;
  return directed_links(laplacian_of(network, spec.unit_laplacian));
}

Ledger compressed_ledger(const NetworkSpec& network, const CompressedSpec& spec) {
  Ledger ledger(network);
  ledger.links = {{.name = spec.star() ? "server" : "graph"}};
  return ledger;
}

Ledger compressed_ledger_after(const Network& network, const CompressedSpec& spec, const Compressor& compressor,
                               const BankShape& shape, int64_t real_bits, int64_t steps) {
  Ledger ledger = compressed_ledger(network.spec(), spec);
  const int64_t whole = shape.parameters * real_bits;
  const int64_t each = known_message_bits(spec, &compressor, shape, real_bits, steps);
  ledger.links[0].up = compressed_messages(network, spec) * each;
  ledger.links[0].down = spec.star() ? steps * network.spec().workers * whole : ledger.links[0].up;
  return ledger;
}

std::string compressed_text(const Arm& arm) {
  const CompressedSpec& spec = *arm.algorithm->compressed();
  std::string text = "    every step: ";
  if (!spec.compresses())
    text += "whole states";
  else
    text += fmt::format("messages of \"{}\"", arm.compressor->kind());
  if (spec.is_flow()) text += fmt::format(" ({})", name(spec.flow));
  text += spec.star() ? " up, the mean down" : " to all neighbours";
  if (spec.compresses() && arm.compressor->has_counted())
    text += "; their lengths depend on what they say, and the bits below leave that part out";
  if (spec.send_bytes) text += "; all through their bytes";
  return text + "\n";
}

}  // namespace orrery
