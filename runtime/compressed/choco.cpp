// CHOCO-Gossip and CHOCO-SGD (Koloskova, Stich, Jaggi, ICML 2019; papers/st-compression.md A.2, A.3), with z = (I - W) xh.
//
//   SGD    x <- x - eta g(x)
//   both   q = C(x - xh, t);   xh <- xh + q;   z <- z + (I - W) q;   x <- x - gamma z
#include "runtime/compressed/method.hpp"

namespace orrery {
namespace {

template <class T>
class Choco final : public CompressedMethod<T> {
 public:
  explicit Choco(const MethodParts<T>& p)
      : CompressedMethod<T>(p),
        gradients_(p.spec.takes_gradients()),
        q_(this->bank()),
        xh_(this->bank()),
        z_(this->bank()) {}

  void move(const SendTime& at, MatrixView<T> x, MatrixView<T> g) override {
    const MatrixView<T> q = this->view(q_), xh = this->view(xh_), z = this->view(z_);
    if (gradients_) this->combine({{1, x}, {-1, g, 1}}, x);
    this->combine({{1, x}, {-1, xh}}, g);
    this->p_.channel->send(this->p_.ctx, at, g, q);
    this->combine({{1, xh}, {1, q}}, xh);
    this->apply_laplacian(q);
    this->combine({{1, z}, {1, q}}, z);
    this->combine({{1, x}, {-this->p_.spec.gamma, z}}, x);
  }

  std::vector<Invariant> invariants() const override { return {this->is_laplacian_of("z - (I - W) xh", z_, xh_)}; }
  std::vector<double> steady(MatrixView<const T> x) const override { return this->numbers(x); }
  double steady_factor() const override { return gradients_ ? 1 : 0; }

 private:
  bool gradients_;
  Buffer<T> q_, xh_, z_;
};

}  // namespace

namespace detail {
template <class T>
std::unique_ptr<CompressedMethod<T>> make_choco(const MethodParts<T>& p) {
  return std::make_unique<Choco<T>>(p);
}
template std::unique_ptr<CompressedMethod<float>> make_choco<float>(const MethodParts<float>&);
template std::unique_ptr<CompressedMethod<double>> make_choco<double>(const MethodParts<double>&);
}  // namespace detail

}  // namespace orrery
