// Consensus and primal-dual flows in Euler steps of length s, the row's rate (papers/st-compression.md 4.5; the algorithm of A.7).
//
//   uncompressed   L xc = L x
//   direct         L xc = L C(x, t)
//   observer       q = C(x - xh, t);   sigma: L xc = zh,   plus: L xc = zh + L q;   xh <- xh + s kappa q,  zh <- zh + s kappa L q  after that
//   both           x <- x - s (alpha L xc + beta v + eta grad f(x)),   v <- v + s beta L xc
//
// compressed-primal-dual: plus, with psi in the place of s kappa. Consensus flows have neither v nor gradients.
#include "runtime/compressed/method.hpp"

namespace orrery {
namespace {

using Flow = CompressedSpec::Flow;
using Method = CompressedSpec::Method;

template <class T>
class FlowMethod final : public CompressedMethod<T> {
 public:
  explicit FlowMethod(const MethodParts<T>& p)
      : CompressedMethod<T>(p),
        s_(p.spec),
        gradients_(p.spec.takes_gradients()),
        observer_(p.spec.method == Method::compressed_primal_dual ? Gain{p.spec.psi, 0} : Gain{p.spec.kappa, 1}),
        q_(this->bank()) {
    if (s_.has_dual()) v_ = dual_start();
    if (s_.observes()) xh_ = this->bank(), zh_ = this->bank();
    dual_sum_ = this->sums(v_);
  }

  void send(const SendTime& at, MatrixView<T> x, MatrixView<T> spare) override {
    const MatrixView<T> q = this->view(q_);
    if (s_.flow == Flow::uncompressed) {
      this->combine({{1, x}}, q);
    } else if (s_.flow == Flow::direct) {
      this->p_.channel->send(this->p_.ctx, at, x, q);
    } else {
      this->combine({{1, x}, {-1, this->view(xh_)}}, spare);
      this->p_.channel->send(this->p_.ctx, at, spare, q);
      this->combine({{1, this->view(xh_)}, {observer_.factor, q, observer_.power}}, this->view(xh_));
    }
    this->apply_laplacian(q);
  }

  void move(const SendTime&, MatrixView<T> x, MatrixView<T> g) override {
    const MatrixView<T> q = this->view(q_), z = this->view(zh_), v = this->view(v_);
    const bool plus = s_.flow == Flow::observer_plus;
    if (plus) this->combine({{1, z}, {1, q}}, q);  // L xc in the place of L q
    const MatrixView<T> lxc = s_.flow == Flow::observer_sigma ? z : q;
    const BankTerm<T> own{1, x}, consensus{-s_.alpha, lxc, 1};
    if (!gradients_) {
      this->combine({own, consensus}, x);
    } else {
      this->combine({own, consensus, {-s_.beta, v, 1}, {-s_.eta, g, 1}}, x);
      this->combine({{1, v}, {s_.beta, lxc, 1}}, v);
    }
    const auto [gain, power] = observer_;
    if (plus)  // L q = L xc - zh; with gain 1 zh becomes L xc itself
      this->combine({{1, z}, {-gain, z, power}, {gain, q, power}}, z);
    else if (s_.observes())
      this->combine({{1, z}, {gain, q, power}}, z);
  }

  std::vector<Invariant> invariants() const override {
    std::vector<Invariant> all;
    if (s_.has_dual()) all.push_back(this->sums_to("the sum of the dual states", v_, dual_sum_));
    if (s_.observes()) all.push_back(this->is_laplacian_of("zh - L xh", zh_, xh_));
    return all;
  }
  std::vector<double> steady(MatrixView<const T> x) const override {
    for (const double v : dual_sum_)
      if (v != 0) return {};  // the mean of the dual states moves it, too
    return this->numbers(x);
  }
  double steady_factor() const override { return gradients_ ? s_.eta : 0; }

 private:
  struct Gain {
    double factor;
    int power;
  };
  // every lane's v(0)
  Buffer<T> dual_start() const {
    if (s_.dual_start.empty()) return this->bank();
    std::vector<T> all;
    for (int64_t r = 0; r < this->p_.rows.count; ++r) {
      const auto& row = s_.dual_start[static_cast<size_t>(r % this->p_.workers)];
      for (int64_t j = 0; j < this->p_.parameters; ++j)
        all.push_back(static_cast<T>(row[row.size() == 1 ? 0 : static_cast<size_t>(j)]));
    }
    return Buffer<T>(this->p_.ctx, all);
  }

  const CompressedSpec& s_;
  bool gradients_;
  Gain observer_;  // what xh moves by, of q
  Buffer<T> q_, v_, xh_, zh_;
  std::vector<double> dual_sum_;  // constant over time
};

}  // namespace

namespace detail {
template <class T>
std::unique_ptr<CompressedMethod<T>> make_flow(const MethodParts<T>& p) {
  return std::make_unique<FlowMethod<T>>(p);
}
template std::unique_ptr<CompressedMethod<float>> make_flow<float>(const MethodParts<float>&);
template std::unique_ptr<CompressedMethod<double>> make_flow<double>(const MethodParts<double>&);
}  // namespace detail

}  // namespace orrery
