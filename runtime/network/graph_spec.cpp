#include "runtime/network/graph_spec.hpp"

#include <fmt/format.h>

#include "runtime/network/graph.hpp"
#include "runtime/network/matrix_file.hpp"
#include "runtime/network/timing_spec.hpp"

namespace orrery {
namespace {

using Rows = std::vector<std::vector<double>>;

// An array of arrays, or the path of a file with a matrix; `file` is then set to it.
Rows read_rows(Params& p, const std::string& key, std::string& file) {
  if (p.is_array(key)) return p.number_rows(key);
  file = p.file_path(key);
  try {
    return read_matrix(file);
  } catch (const UserError& e) {
    p.fail(key, e.what());
  }
}

void read_kind(Params& p, GraphSpec& g, int64_t nodes) {
  g.kind = p.choice("kind", std::nullopt,
                    {"complete", "ring", "path", "star", "grid", "torus", "exponential", "one-peer-exponential",
                     "erdos-renyi", "file"});
  if (g.kind == "exponential")
    g.directed = p.flag("directed", false);
  else if (p.has("directed"))
    p.fail("directed",
           fmt::format("is for kind = \"exponential\", whose links it has one way, and this is \"{}\"; remove it",
                       g.kind));
  if (g.kind == "erdos-renyi")
    g.probability = p.number("probability", std::nullopt, {.min = 0, .max = 1, .min_open = true});
  if (g.kind == "file") g.adjacency = read_rows(p, "path", g.file);
  if ((g.kind == "grid" || g.kind == "torus") && (p.has("rows") || most_square_rows(nodes) > 0)) {
    const int64_t square = most_square_rows(nodes);
    g.rows = p.integer("rows", square, at_least(1));
    if (nodes > 1 && (g.rows < 2 || nodes % g.rows != 0 || nodes / g.rows < 2))
      p.fail("rows",
             fmt::format("{} rows do not cut {} nodes into a {} of at least 2 x 2; {}", g.rows, nodes, g.kind,
                         square > 0 ? fmt::format("use {}, or leave it out", square) : "change the number of nodes"));
  }
}

void read_mixing(Params& p, GraphSpec& g) {
  if (g.kind == "one-peer-exponential") {
    g.mixing = g.kind;
    if (p.has("mixing") && p.text("mixing", std::nullopt) != g.kind)
      p.fail("mixing", "kind = \"one-peer-exponential\" brings its own matrices, (I + shift)/2; remove this key");
  } else if (g.directed) {
    g.mixing = p.choice("mixing", "uniform", {"uniform", "metropolis", "laplacian", "average", "file"});
    if (g.mixing != "uniform")
      p.fail("mixing", fmt::format("\"{}\" needs links both ways, and directed = true has them one way; choose "
                                   "\"uniform\", or leave directed out",
                                   g.mixing));
  } else {
    g.mixing = p.choice("mixing", "metropolis", {"metropolis", "uniform", "laplacian", "average", "file"});
  }
  if (g.mixing == "laplacian") g.alpha = p.number("alpha", std::nullopt, above(0));
  if (g.mixing == "file") g.matrix = read_rows(p, "matrix", g.matrix_file);
  g.lazy = p.flag("lazy", false);
  const std::string path =
      p.has("mixing_path") ? p.choice("mixing_path", "by-cost", {"by-cost", "sparse", "dense"}) : "";
  g.path = path == "sparse"  ? GraphSpec::Path::sparse
           : path == "dense" ? GraphSpec::Path::dense
                             : GraphSpec::Path::by_cost;
}

}  // namespace

GraphSpec parse_graph(Params& p, const NetworkSpec& s) {
  const std::vector<TierSpec>& tiers = s.tiers;
  GraphSpec g;
  read_kind(p, g, s.top_nodes());
  const int64_t finer = tiers.empty() ? 1 : tiers.back().common_period();
  g.period = p.integer("period", finer, between(1, 1e12));
  if (!tiers.empty())
    require_multiple(p, g.period, tiers.back(), fmt::format("the top tier \"{}\"", tiers.back().name));
  read_link(p, g.link, s.clock);
  read_mixing(p, g);
  return g;
}

}  // namespace orrery
