// The table of data sets and what they have in common: limits, scaling and the fallback.
#include "datasets/dataset.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "datasets/folders.hpp"
#include "datasets/samples.hpp"

namespace orrery {

#define ORRERY_ENTRY(x) extern const Entry<DataSource> x;
namespace data {
#include "data.inc"
}  // namespace data
#undef ORRERY_ENTRY

const Table<DataSource>& data_table() {
#define ORRERY_ENTRY(x) &data::x,
  static const Table<DataSource> table{
#include "data.inc"
  };
#undef ORRERY_ENTRY
  return table;
}

namespace {

enum class Normalise { unit, standard, none };

// The first n samples. `clamp`: no more than there are; else asking for more is an error.
void limit(Samples& s, std::optional<int64_t> n, const char* key, const char* what, bool clamp) {
  if (!n) return;
  if (*n > s.count && !clamp)
    throw DataError(
        fmt::format("data.{}: {}, but there are {} {} samples; lower it or remove it", key, *n, s.count, what));
  keep_first(s, std::min(*n, s.count));
}

// Mean and standard deviation of all stored features of the training set; exact sums where they are bytes.
std::pair<double, double> moments(const Samples& s) {
  const double n = static_cast<double>(s.count) * static_cast<double>(s.features);
  double sum = 0, squares = 0;
  if (!s.bytes.empty()) {
    std::vector<int64_t> histogram(256);
    for (const uint8_t b : s.bytes) ++histogram[b];
    for (int v = 0; v < 256; ++v) sum += static_cast<double>(histogram[v]) * v;
    for (int v = 0; v < 256; ++v) squares += static_cast<double>(histogram[v]) * (v - sum / n) * (v - sum / n);
  } else {
    for (const float v : s.values) sum += v;
    for (const float v : s.values) squares += (v - sum / n) * (v - sum / n);
  }
  return {sum / n, std::sqrt(squares / n)};
}

// unit: bytes / 255, other values as they are. standard: mean 0 and standard deviation 1 over the training set in use.
// none: as stored.
void normalise(Dataset& d, Normalise how) {
  if (how == Normalise::none) return;
  if (how == Normalise::unit) {
    d.scale = d.train.bytes.empty() ? 1.0 : 1.0 / 255;
    return;
  }
  expects(d.train.sparse.empty(), "a dense set: a mean taken off would fill its zeros");
  const auto [mean, deviation] = moments(d.train);
  if (!(deviation > 0))
    throw DataError(fmt::format(
        "data.normalise: all features of the {} training samples of {} are equal, so that \"standard\" would "
        "divide by 0; use \"unit\"",
        d.train.count, d.name));
  d.scale = 1 / deviation;
  d.shift = -mean / deviation;
}

class CommonSource final : public DataSource {
 public:
  explicit CommonSource(Params& p) : inner_(make(data_table(), p, "name")) {
    const std::string how = p.choice("normalise", "unit", {"unit", "standard", "none"});
    if (how == "standard" && inner_->sparse())
      p.fail("normalise",
             "\"standard\" would fill the zeros of a sparse set; use \"unit\", which leaves its values as they are");
    normalise_ = how == "unit" ? Normalise::unit : how == "standard" ? Normalise::standard : Normalise::none;
    if (p.has("limit_train")) limit_train_ = p.integer("limit_train", std::nullopt, at_least(1));
    if (p.has("limit_test")) limit_test_ = p.integer("limit_test", std::nullopt, at_least(1));
    if (p.has("fallback")) {
      Params defaults = Params::from_text("", p.file());
      defaults.set_text("fallback", p.text("fallback", std::nullopt));
      std::vector<std::string> known;
      for (const auto* e : data_table()) known.push_back(e->name);
      const std::string name = p.choice("fallback", std::nullopt, known);  // the error that names the experiment's line
      if (name == "libsvm" || name == "npy")
        p.fail("fallback", fmt::format("{} needs keys of its own; name a set without them, as \"glyphs\"", name));
      fallback_ = make(data_table(), defaults, "fallback");
    }
  }

  Dataset load(std::string* notice) const override {
    if (notice) notice->clear();
    bool fell_back = false;
    Dataset d = load_or_fall_back(notice, &fell_back);
    limit(d.train, limit_train_, "limit_train", "training", fell_back);
    limit(d.test, limit_test_, "limit_test", "test", fell_back);
    normalise(d, normalise_);
    return d;
  }

 private:
  Dataset load_or_fall_back(std::string* notice, bool* fell_back) const {
    if (!fallback_) return inner_->load(notice);
    try {
      return inner_->load(notice);
    } catch (const MissingData& missing) {
      Dataset d = fallback_->load(nullptr);
      *fell_back = true;
      const std::string why = missing.what();
      if (notice) *notice = fmt::format("{}; using {} instead", why.substr(0, why.find("; ")), d.name);
      return d;
    }
  }

  std::unique_ptr<DataSource> inner_, fallback_;
  Normalise normalise_ = Normalise::unit;
  std::optional<int64_t> limit_train_, limit_test_;
};

}  // namespace

std::unique_ptr<DataSource> make_data_source(Params& data) { return std::make_unique<CommonSource>(data); }

}  // namespace orrery
