#include <fmt/format.h>

#include "bench/harness.hpp"
#include "kernels/core/error.hpp"

int main(int argc, char** argv) {
  try {
    using namespace orrery;
    using namespace orrery::bench;
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
    const DeviceInfo device = device_info(context().backend);
    benchmark::AddCustomContext("device",
                                fmt::format("{} ({}, {})", name(context().backend), device.name, device.detail));
    benchmark::AddCustomContext("threads", fmt::format("{}", threads()));
    benchmark::AddCustomContext("copy_GB_per_s", fmt::format("{:.1f}", roofs().copy_bytes_per_second / 1e9));
    benchmark::AddCustomContext("gemm_GFLOP_per_s", fmt::format("{:.1f}", roofs().gemm_flops_per_second / 1e9));
    const Products products = context().products;
    benchmark::AddCustomContext("products", products == Products::full   ? "fp32"
                                            : products == Products::tf32 ? "tf32"
                                                                         : "bf16");
    add_averages();
    add_compressors();
    add_kernels();
    add_logistic();
    add_messages();
    add_mixing();
    add_perceptrons();
    add_risks();
    add_rounds();
    add_signs();
    add_votes();
    benchmark::RunSpecifiedBenchmarks();
    hold({});  // while the device is still there
  } catch (const orrery::UserError& e) {
    fmt::print(stderr, "orrery_bench: {}\n", e.what());
    return static_cast<int>(e.code());
  }
}
