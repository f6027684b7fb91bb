// A model: the layout of the P parameters of a row, and loss and gradient for all rows at once. Composed of kernels; holds no CUDA.
//
// ModelSpec is what [model] says (const after parsing); Model<T> is that bound to a device and to the data that lies there.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "kernels/core/buffer.hpp"
#include "kernels/core/params.hpp"
#include "kernels/core/registry.hpp"
#include "kernels/rows.hpp"
#include "kernels/scores.hpp"
#include "kernels/signs.hpp"

namespace orrery {

struct Tensor {  // one named piece of a row, for messages and for readers of final.npy
  std::string name;
  int64_t offset = 0;
  std::vector<int64_t> shape;
  // How the weights into one output lie: a row or a column of a matrix; the tensor as a whole; none: a bias (runtime/landscape.hpp).
  enum class Filters { rows, columns, whole, none } filters = Filters::whole;
};

// Where the workers' global objective f(w) = sum_i a_i F_i(w) comes from, for one replica of one arm.
struct Objective {
  std::vector<double> worker_weights;  // a_i (W)
  int64_t sample_weight_row =
      0;  // row of `sample_weights` with u_s = sum of a_i / n_i over the workers that hold sample s
};

// What the metrics will ask of a model in one call, for the plan of memory; zeros: nothing.
struct MetricInputs {
  int64_t rows = 0, batch = 0;      // whole local gradients: rows, and samples of the largest
  int64_t models = 0, samples = 0;  // losses and scores: models, and samples of the set
  int64_t objectives = 0;           // different weightings of the workers
};

struct ModelInputs {                        // what a model is bound to; the views stay valid as long as the model
  SampleView train, test;                   // empty where the model needs no data
  MatrixView<const double> sample_weights;  // (lanes, n), on the device
  int classes = 0;
  int64_t workers = 1;
  int64_t most_held = 0;            // samples of the worker that holds most
  int64_t rows = 0, max_batch = 1;  // largest launch of local steps
  int64_t workspace_bytes = int64_t{512} << 20;
  MetricInputs metrics = {};
  int64_t sign_samples =
      0;  // samples behind a gradient of every worker of a lane at its shared model; 0: no model is shared
  bool sparse = false;  // the samples are sparse rows: for the plan, which has no views yet
};

template <class T>
class Model {
 public:
  virtual ~Model() = default;
  virtual int64_t parameters() const = 0;

  // Gradient mode 1: every row at its own parameters. `steps` local steps of Rows::repeats gradient steps each, fused where the model can.
  virtual void local_steps(const Context&, const Rows&, Slot, int64_t steps, MatrixView<T> w, const Momentum<T>&) = 0;
  // Modes 1 and 2: with w of stride 0 all rows are at one shared point.
  virtual void gradients(const Context&, const Rows&, Slot, MatrixView<const T> w, MatrixView<T> g) = 0;

  // Signs of the gradients of all rows at one shared point (w of stride 0), packed (kernels/signs.hpp), zeros as the rule says: the signs
  // that sign_pack makes of gradients(), up to rounding on CUDA, without storing a gradient. Only where packs_signs().
  virtual bool packs_signs() const { return false; }
  virtual void signs(const Context&, const Rows&, Slot, SignZero, MatrixView<const T> w, const SignsOut&);

  // out[r,:] = H v[r,:] with H the Hessian at w[r,:] of the loss that gradients() differentiates, l2 included. 0 for rows that skip the slot.
  // Exact where the model overrides it; else central differences of gradients(), off by O(eps^(2/3)) of its size. w may have stride 0 (one point
  // for all rows), and so may v (one direction for all rows); out is dense; the three do not alias.
  virtual void hessian_vector(const Context&, const Rows&, Slot, MatrixView<const T> w, MatrixView<const T> v,
                              MatrixView<T> out);
  // f at each of M points, l2 included (host values, float64); objectives[m] belongs to point m
  virtual std::vector<double> objective(const Context&, MatrixView<const T> w,
                                        const std::vector<const Objective*>& objectives) = 0;
  // |grad f|^2 at each of M points (rows of a dense w), where it has a closed form; else the caller adds the workers' gradients up
  virtual std::optional<std::vector<double>> gradient_norms(const Context&, MatrixView<const T>,
                                                            const std::vector<const Objective*>&) {
    return std::nullopt;
  }
  // mean loss and accuracy on the test set; only for models with data
  virtual Scores test(const Context&, MatrixView<const T> w) = 0;
  // the same on the training set, all samples weighed alike; Scores::hits is what metrics read
  virtual Scores train(const Context&, MatrixView<const T>) {
    throw std::logic_error("a model without data has no training set");
  }
  // argmin f where it has a closed form
  virtual std::optional<std::vector<double>> optimum(const Objective&) const { return std::nullopt; }
};

// ---- what theory may know of a model before any data is seen; each is absent where it does not hold
// F_i(x) = 1/2 sum_j a_ij (x_j - c_ij)^2, gradients of one sample with Gaussian noise of deviation noise(j) in coordinate j.
struct QuadraticRisk {
  int64_t dimension = 0;
  double noise_sq = 0;        // sum_j noise(j)^2
  bool same_columns = false;  // a_ij and c_ij do not depend on j
  bool same_workers = false;  // nor on i
  std::function<double(int64_t worker, int64_t j)> curvature, center;
  std::function<double(int64_t j)> noise;
};
// Linear scores and a convex loss: the Hessian of F_i lies below factor * mean over its samples of x x^T (blocks of every output) + l2,
// x with a constant 1 for the bias.
struct LinearCurvature {
  double factor = 0, l2 = 0;
};

class ModelSpec {
 public:
  virtual ~ModelSpec() = default;
  virtual std::optional<QuadraticRisk> quadratic_risk() const { return std::nullopt; }
  virtual std::optional<LinearCurvature> linear_curvature() const { return std::nullopt; }
  virtual std::string kind() const = 0;
  virtual bool needs_data() const = 0;
  virtual bool has_optimum() const { return false; }
  virtual bool packs_signs() const { return false; }         // Model::packs_signs
  virtual bool needs_even_samples() const { return false; }  // all samples must weigh the same in the objective
  virtual bool allocates_in_steps() const { return false; }  // so that steps cannot be recorded as a CUDA graph
  virtual bool has_gradient_norms() const { return false; }  // Model::gradient_norms answers
  virtual void check_workers(int64_t) const {
  }  // throws ExperimentError where the model's constants are for another number
  // throws DataError where the data set does not suit the model (bind() does, too)
  virtual std::vector<Tensor> layout(int64_t features, int classes) const = 0;
  int64_t parameters(int64_t features, int classes) const;
  virtual std::unique_ptr<Model<float>> bind(const Context&, const ModelInputs&, float) const = 0;
  virtual std::unique_ptr<Model<double>> bind(const Context&, const ModelInputs&, double) const = 0;
  // For the plan, beside the banks: bytes that bind() asks for,
  virtual int64_t workspace(Backend, const ModelInputs&, int64_t features, int64_t element_size) const = 0;
  // and bytes that the calls to come (`in`, with in.metrics) ask for: for their time, or once and then kept.
  virtual int64_t scratch(Backend, const ModelInputs&, int64_t features, int64_t element_size) const;
  // [model] init = "default": what training usually starts from; may depend on the replica's seed
  virtual std::vector<double> default_start(int64_t features, int classes, uint64_t seed) const;
  // [model] init = "normal": what a perceptron or a quadratic then draws; depends on the replica's seed
  virtual bool has_normal_start() const { return false; }
  virtual std::vector<double> normal_start(int64_t features, int classes, uint64_t seed) const;
  // Every worker starts at one given point: the file that `key` of `section` names, (P) or (1,P); in place of what [model] init says.
  void start_from(Params& section, const std::string& key);
  // the parameters of worker 0..W-1 of one replica before the first step: (1,P) for all workers or (W,P)
  virtual std::vector<double> start(int64_t workers, int64_t features, int classes, uint64_t seed, int64_t* rows) const;

 protected:
  void read_start(Params& model);  // the key `init`

 private:
  void read_start_array(Params& section, const std::string& key);
  enum class Start { standard, normal, zero, number, array } start_ = Start::standard;
  double start_number_ = 0;
  std::string start_file_, start_place_;
  std::vector<int64_t> start_shape_;
  std::vector<double> start_array_;
  bool one_start_ = false;  // start_from()
};

const Table<ModelSpec>& model_table();
// Reads [model] and checks that it fits the workers.
std::unique_ptr<ModelSpec> make_model(Params& model, int64_t workers);

}  // namespace orrery
