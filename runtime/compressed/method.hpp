// One method on the rows of one arm: its banks and what happens to them in a step. Made by make_method; the files of this folder hold one family each.
//
//   a step   send()   what is sent before gradients are taken at x
//            (the gradients of all rows at x, where the method takes them)
//            move()   what is sent after, and the new state
//
// L is the Laplacian of unit weights, or I - W: rows that agree are mapped to 0. A node keeps z = L xh in place of its neighbours' xh: they send
// q, and z moves by L q as xh moves by q.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "kernels/combine_banks.hpp"
#include "kernels/group_mean.hpp"
#include "kernels/mix_step.hpp"
#include "runtime/compressed/channel.hpp"

namespace orrery {

template <class T>
struct MethodParts {  // what a method works with; outlives it
  const Context& ctx;
  const CompressedSpec& spec;
  const Rows& rows;  // of the arm
  int64_t workers = 0, parameters = 0;
  Channel<T>* channel = nullptr;
  const MixPlan<T>* laplacian = nullptr;  // null: a server
  GroupTable everyone = {};               // of a server: the workers of each lane as a group
};

// What must be zero whatever was sent, up to rounding, beside the size of what it is the difference of.
struct Invariant {
  std::string what;
  double off = 0, size = 0;
};

template <class T>
class CompressedMethod {
 public:
  explicit CompressedMethod(const MethodParts<T>& p) : p_(p) {}
  virtual ~CompressedMethod() = default;

  // x (rows, P) the parameters, spare (rows, P) scratch, where the gradients will lie.
  virtual void send(const SendTime&, MatrixView<T> /*x*/, MatrixView<T> /*spare*/) {}
  virtual void move(const SendTime&, MatrixView<T> x, MatrixView<T> g) = 0;
  // For checks, on the host: its own, and what moves by the mean gradient alone (rows, P): m+ = m - factor * mean of the gradients at x.
  virtual std::vector<Invariant> invariants() const { return {}; }
  virtual std::vector<double> steady(MatrixView<const T> /*x*/) const { return {}; }
  virtual double steady_factor() const { return 0; }  // times the row's rate

 protected:
  const MethodParts<T> p_;

  Buffer<T> bank() const { return Buffer<T>(p_.ctx, p_.rows.count * p_.parameters); }
  MatrixView<T> view(const Buffer<T>& b) const { return b.view(p_.rows.count, p_.parameters); }
  void combine(std::initializer_list<BankTerm<T>> terms, MatrixView<T> y, double shrink = 0) const {
    combine_banks<T>(p_.ctx, p_.rows.learning_rate, terms, y, shrink);
  }
  void apply_laplacian(MatrixView<T> x) const { mix_step<T>(p_.ctx, *p_.laplacian, MixForm::combine, {}, {}, x); }
  std::vector<T> host(const Buffer<T>& b) const { return b.to_host(p_.ctx); }
  std::vector<double> numbers(MatrixView<const T> x) const;
  Invariant sums_to(const std::string& what, const Buffer<T>&, const std::vector<double>& constant) const;
  Invariant is_laplacian_of(const std::string& what, const Buffer<T>& z, const Buffer<T>& x) const;
  std::vector<double> sums(const Buffer<T>&) const;  // over each lane's workers (lanes, P)
};

template <class T>
std::unique_ptr<CompressedMethod<T>> make_method(const MethodParts<T>&);

namespace detail {
template <class T>
std::unique_ptr<CompressedMethod<T>> make_flow(const MethodParts<T>&);
template <class T>
std::unique_ptr<CompressedMethod<T>> make_choco(const MethodParts<T>&);
template <class T>
std::unique_ptr<CompressedMethod<T>> make_feedback(const MethodParts<T>&);
template <class T>
std::unique_ptr<CompressedMethod<T>> make_lead(const MethodParts<T>&);
}  // namespace detail

}  // namespace orrery
