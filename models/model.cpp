#include "models/model.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "kernels/core/npy.hpp"
#include "kernels/descend.hpp"
#include "kernels/distances.hpp"

namespace orrery {
namespace models {
#define ORRERY_ENTRY(entry) extern const Entry<ModelSpec> entry;
#include "models.inc"
#undef ORRERY_ENTRY
}  // namespace models

const Table<ModelSpec>& model_table() {
  static const Table<ModelSpec> table{
#define ORRERY_ENTRY(entry) &models::entry,
#include "models.inc"
#undef ORRERY_ENTRY
  };
  return table;
}

std::unique_ptr<ModelSpec> make_model(Params& p, int64_t workers) {
  auto model = make(model_table(), p);
  model->check_workers(workers);
  return model;
}

int64_t ModelSpec::parameters(int64_t features, int classes) const {
  int64_t total = 0;
  for (const auto& tensor : layout(features, classes)) {
    int64_t size = 1;
    for (int64_t n : tensor.shape) size *= n;
    total += size;
  }
  return total;
}

int64_t ModelSpec::scratch(Backend, const ModelInputs&, int64_t, int64_t) const { return 0; }

std::vector<double> ModelSpec::default_start(int64_t features, int classes, uint64_t) const {
  return std::vector<double>(static_cast<size_t>(parameters(features, classes)));
}

std::vector<double> ModelSpec::normal_start(int64_t, int, uint64_t) const {
  expects(false, "a model that has a normal start");
  return {};
}

void ModelSpec::read_start(Params& p) {
  if (p.is_number("init")) {
    start_ = Start::number;
    start_number_ = p.number("init", std::nullopt);
    return;
  }
  if (p.is_array("init")) {  // (P), or nested (W,P)
    start_ = Start::array;
    start_place_ = p.place("init") + ": the array";
    const auto rows =
        p.is_nested_array("init") ? p.number_rows("init") : std::vector<std::vector<double>>{p.numbers("init")};
    const auto columns = static_cast<int64_t>(rows[0].size());
    for (const auto& row : rows) {
      if (static_cast<int64_t>(row.size()) != columns)
        p.fail("init",
               fmt::format("rows of {} and {} numbers; give every worker the same number", columns, row.size()));
      start_array_.insert(start_array_.end(), row.begin(), row.end());
    }
    start_shape_ = {columns};
    if (p.is_nested_array("init")) start_shape_.insert(start_shape_.begin(), static_cast<int64_t>(rows.size()));
    return;
  }
  const std::string text = p.text("init", "default");
  if (text == "default")
    start_ = Start::standard;
  else if (text == "zero")
    start_ = Start::zero;
  else if (text == "normal") {
    if (!has_normal_start())
      p.fail("init",
             "\"normal\" is a start of perceptrons and quadratics; give \"default\", \"zero\", a number, an array or a "
             ".npy file");
    start_ = Start::normal;
  } else if (text.size() > 4 && text.ends_with(".npy")) {
    read_start_array(p, "init");
  } else {
    p.fail("init",
           fmt::format("\"{}\" is no start; give \"default\", \"zero\", a number, an array or a .npy file", text));
  }
}

void ModelSpec::read_start_array(Params& p, const std::string& key) {
  start_ = Start::array;
  const std::string text = p.text(key, std::nullopt);
  NpyArray a;
  try {
    a = read_npy(p.file_path(key));
  } catch (const DataError& e) {
    p.fail(key, e.what());
  }
  start_shape_ = a.shape;
  start_array_ = std::move(a.values);
  start_place_ = p.place(key) + ": " + text;
  for (double v : start_array_)
    if (!std::isfinite(v)) p.fail(key, fmt::format("{} holds a value that is not finite; every start must be", text));
  if (a.shape.size() < 1 || a.shape.size() > 2)
    p.fail(key, fmt::format("{} has shape ({}); give (P){}", text, fmt::join(a.shape, ","),
                            one_start_ ? ", or mean.npy of a run of one replica" : " or (W,P)"));
}

void ModelSpec::start_from(Params& p, const std::string& key) {
  one_start_ = true;
  read_start_array(p, key);
  if (start_shape_.size() == 2 && start_shape_[0] > 1)
    p.fail(key,
           fmt::format("{} has shape ({}), and all agents start at one point; give (P), or mean.npy of a run of one "
                       "replica",
                       p.text(key, std::nullopt), fmt::join(start_shape_, ",")));
}

std::vector<double> ModelSpec::start(int64_t workers, int64_t features, int classes, uint64_t seed,
                                     int64_t* rows) const {
  const int64_t p = parameters(features, classes);
  *rows = 1;
  switch (start_) {
    case Start::standard: return default_start(features, classes, seed);
    case Start::normal: return normal_start(features, classes, seed);
    case Start::zero: return std::vector<double>(static_cast<size_t>(p));
    case Start::number: return std::vector<double>(static_cast<size_t>(p), start_number_);
    case Start::array: break;
  }
  const bool two = start_shape_.size() == 2;
  const bool shared = start_shape_.back() == p && (!two || (start_shape_[0] == 1 && workers > 1));
  const bool own = two && start_shape_[0] == workers && start_shape_[1] == p;
  if (!shared && !own)
    throw ExperimentError(fmt::format("{} has shape ({}); give ({}) for all workers{}", start_place_,
                                      fmt::join(start_shape_, ","), p,
                                      one_start_ ? "" : fmt::format(" or ({},{})", workers, p)));
  *rows = own ? workers : 1;
  return start_array_;
}

// H v = (g(w + h v) - g(w - h v)) / 2h with h = eps^(1/3) max(1, |w|) / |v|, each row its own
template <class T>
void Model<T>::hessian_vector(const Context& ctx, const Rows& rows, Slot slot, MatrixView<const T> w,
                              MatrixView<const T> v, MatrixView<T> out) {
  const int64_t n = rows.count, p = parameters();
  Buffer<double> norms(ctx, n);
  const auto norms_of = [&](MatrixView<const T> x) {
    row_distances<T>(ctx, x, {}, {}, norms.view());
    return norms.to_host(ctx);
  };
  const auto w_sq = norms_of(w), v_sq = norms_of(v);
  std::vector<double> h(static_cast<size_t>(n)), forth(h), back(h), up(h), down(h);
  for (size_t r = 0; r < h.size(); ++r) {
    const double eps = std::numeric_limits<T>::epsilon();
    h[r] = v_sq[r] > 0 ? std::cbrt(eps) * std::max(1.0, std::sqrt(w_sq[r])) / std::sqrt(v_sq[r]) : 1.0;
    forth[r] = -h[r], back[r] = h[r];  // descend() subtracts
    up[r] = -1 / (2 * h[r]), down[r] = 1 / (2 * h[r]);
  }
  Buffer<T> point(ctx, n * p), gradient(ctx, n * p);
  const auto combine = [&](const std::vector<double>& coefficient, MatrixView<T> to, MatrixView<const T> from) {
    const Buffer<double> device(ctx, coefficient);
    Rows each;
    each.count = n;
    each.learning_rate = device.view();
    descend<T>(ctx, each, to, from);
    ctx.synchronize();  // `device` goes away
  };
  detail::zero(ctx, out.data(), out.size() * int64_t{sizeof(T)});
  for (const auto& [step, weight] : {std::pair{&forth, &up}, std::pair{&back, &down}}) {
    for (int64_t r = 0; r < n; ++r)
      detail::copy(ctx, point.data() + r * p, ctx.backend, w.row(r), ctx.backend, p * int64_t{sizeof(T)});
    combine(*step, point.view(n, p), v);
    gradients(ctx, rows, slot, point.view(n, p), gradient.view(n, p));
    combine(*weight, out, gradient.view(n, p));
  }
}
template <class T>
void Model<T>::signs(const Context&, const Rows&, Slot, SignZero, MatrixView<const T>, const SignsOut&) {
  throw std::logic_error("signs of a model that does not pack them");
}
template class Model<float>;
template class Model<double>;

}  // namespace orrery
