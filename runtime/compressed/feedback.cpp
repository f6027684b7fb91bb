// Error feedback at a server that all workers send to; all hold the same x (papers/st-compression.md A.1, A.4).
//
//   ef-sgd   p_i = eta g_i(x) + e_i;   q_i = C(p_i);   e_i <- p_i - q_i;   x <- x - sum_i a_i q_i      (Seide et al. 2014; Karimireddy et al. 2019)
//   ef21     c_i = C(g_i(x) - h_i);    h_i <- h_i + c_i;                   x <- x - eta sum_i a_i h_i  (Richtarik et al. 2021)
//
// a_i: the workers' weights. ef21 starts from h_i = 0, so that its first message is C(g_i(x(0))).
#include "runtime/compressed/method.hpp"

namespace orrery {
namespace {

template <class T>
class Feedback final : public CompressedMethod<T> {
 public:
  explicit Feedback(const MethodParts<T>& p)
      : CompressedMethod<T>(p),
        ef21_(p.spec.method == CompressedSpec::Method::ef21),
        q_(this->bank()),
        kept_(this->bank()) {}

  void move(const SendTime& at, MatrixView<T> x, MatrixView<T> g) override {
    const MatrixView<T> q = this->view(q_), kept = this->view(kept_);
    if (ef21_) {
      this->combine({{1, g}, {-1, kept}}, g);
      this->p_.channel->send(this->p_.ctx, at, g, q);
      this->combine({{1, kept}, {1, q}}, kept);
      this->combine({{1, kept}}, q);
    } else {
      this->combine({{1, g, 1}, {1, kept}}, g);
      this->p_.channel->send(this->p_.ctx, at, g, q);
      this->combine({{1, g}, {-1, q}}, kept);
    }
    group_average<T>(this->p_.ctx, this->p_.everyone, q);
    this->combine({{1, x}, {-1, q, ef21_ ? 1 : 0}}, x);
  }

  // the virtual iterate x - mean e moves by -eta mean g
  std::vector<double> steady(MatrixView<const T> x) const override {
    if (ef21_) return {};
    auto all = this->numbers(x);
    const auto e = this->host(kept_);
    for (size_t i = 0; i < all.size(); ++i) all[i] -= static_cast<double>(e[i]);
    return all;
  }
  double steady_factor() const override { return ef21_ ? 0 : 1; }

 private:
  bool ef21_;
  Buffer<T> q_, kept_;
};

}  // namespace

namespace detail {
template <class T>
std::unique_ptr<CompressedMethod<T>> make_feedback(const MethodParts<T>& p) {
  return std::make_unique<Feedback<T>>(p);
}
template std::unique_ptr<CompressedMethod<float>> make_feedback<float>(const MethodParts<float>&);
template std::unique_ptr<CompressedMethod<double>> make_feedback<double>(const MethodParts<double>&);
}  // namespace detail

}  // namespace orrery
