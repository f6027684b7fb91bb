#include "kernels/core/registry.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "kernels/core/params.hpp"

namespace orrery {

// Edit distance with transpositions (optimal string alignment); a word of two letters or more is near when at most a third of it, or one
// letter, differs.
std::string nearest(const std::string& word, const std::vector<std::string>& known) {
  std::string best;
  size_t best_distance = word.size() < 2 ? 0 : std::max<size_t>(1, word.size() / 3) + 1;
  for (const auto& k : known) {
    std::vector<std::vector<size_t>> d(word.size() + 1, std::vector<size_t>(k.size() + 1));
    for (size_t i = 0; i <= word.size(); ++i) d[i][0] = i;
    for (size_t j = 0; j <= k.size(); ++j) d[0][j] = j;
    for (size_t i = 1; i <= word.size(); ++i)
      for (size_t j = 1; j <= k.size(); ++j) {
        d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (word[i - 1] != k[j - 1])});
        if (i > 1 && j > 1 && word[i - 1] == k[j - 2] && word[i - 2] == k[j - 1])
          d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
      }
    if (d[word.size()][k.size()] < best_distance) {
      best_distance = d[word.size()][k.size()];
      best = k;
    }
  }
  return best;
}

void fail_unknown(const Params& p, const std::string& key, const std::string& name,
                  const std::vector<std::string>& known) {
  const std::string near = nearest(name, known);
  p.fail(key, fmt::format("unknown name \"{}\"; {}known: {}", name,
                          near.empty() ? "" : fmt::format("did you mean \"{}\"? ", near), fmt::join(known, ", ")));
}

std::string text_of(Params& p, const std::string& key) { return p.text(key, std::nullopt); }

}  // namespace orrery
