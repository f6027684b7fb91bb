// LEAD, Prox-LEAD and CEDAS (papers/st-compression.md A.5, A.6), with B = I - W and z = B H in the place of W H.
//
//   y = x - eta g(x) - eta d;   q = C(y - h, t);   p = z + B q                          (p = B yh, yh = h + q what receivers make of y)
//   d <- d + gamma/(2 eta) p;   x <- prox_{eta r}( y - gamma/2 p );   h <- h + a q;   z <- z + a B q
//
//   lead        r = 0, and a first step x <- x - eta g(x) that nothing is sent in
//   prox-lead   r(x) = l1 |x|_1
//   cedas       r = 0; d stands for eta d, so that eta may fall: y = x - eta g - d,  d <- d + gamma/2 p
#include "runtime/compressed/method.hpp"

namespace orrery {
namespace {

using Method = CompressedSpec::Method;

template <class T>
class Lead final : public CompressedMethod<T> {
 public:
  explicit Lead(const MethodParts<T>& p)
      : CompressedMethod<T>(p),
        power_(p.spec.method == Method::cedas ? 0 : 1),
        q_(this->bank()),
        d_(this->bank()),
        h_(this->bank()),
        z_(this->bank()),
        no_sum_(this->sums(d_)) {}

  void move(const SendTime& at, MatrixView<T> x, MatrixView<T> g) override {
    if (this->p_.spec.starts_apart() && at.now == 0) {
      this->combine({{1, x}, {-1, g, 1}}, x);
      return;
    }
    const double gamma = this->p_.spec.gamma, a = this->p_.spec.a;
    const MatrixView<T> q = this->view(q_), d = this->view(d_), h = this->view(h_), z = this->view(z_);
    const MatrixView<T> y = g;
    this->combine({{1, x}, {-1, g, 1}, {-1, d, power_}}, y);
    this->combine({{1, y}, {-1, h}}, x);  // the old x is no longer needed
    this->p_.channel->send(this->p_.ctx, at, x, q);
    this->combine({{1, h}, {a, q}}, h);
    this->apply_laplacian(q);
    this->combine({{1, d}, {gamma / 2, z, -power_}, {gamma / 2, q, -power_}}, d);
    this->combine({{1, y}, {-gamma / 2, z}, {-gamma / 2, q}}, x, this->p_.spec.l1);
    this->combine({{1, z}, {a, q}}, z);
  }

  std::vector<Invariant> invariants() const override {
    return {this->sums_to("the sum of the dual variables", d_, no_sum_), this->is_laplacian_of("H - W H", z_, h_)};
  }
  std::vector<double> steady(MatrixView<const T> x) const override {
    return this->p_.spec.l1 > 0 ? std::vector<double>{} : this->numbers(x);
  }
  double steady_factor() const override { return 1; }

 private:
  int power_;  // of eta beside d
  Buffer<T> q_, d_, h_, z_;
  std::vector<double> no_sum_;
};

}  // namespace

namespace detail {
template <class T>
std::unique_ptr<CompressedMethod<T>> make_lead(const MethodParts<T>& p) {
  return std::make_unique<Lead<T>>(p);
}
template std::unique_ptr<CompressedMethod<float>> make_lead<float>(const MethodParts<float>&);
template std::unique_ptr<CompressedMethod<double>> make_lead<double>(const MethodParts<double>&);
}  // namespace detail

}  // namespace orrery
