#include "runtime/report/metric_info.hpp"

#include <array>

namespace orrery::report {
namespace {

using Better = MetricInfo::Better;

struct Known {
  std::string_view name, title, detail, unit;
  Better better;
};

constexpr std::array kKnown = {
    Known{"train_loss", "training loss", "global objective at the mean model", "", Better::low},
    Known{"test_loss", "test loss", "at the mean model", "", Better::low},
    Known{"test_accuracy", "test accuracy", "of the mean model", "", Better::high},
    Known{"train_accuracy", "training accuracy", "of the mean model", "", Better::high},
    Known{"worker_train_accuracy", "workers' training accuracy", "mean over the workers, each with its own model", "",
          Better::high},
    Known{"worker_train_loss", "workers' training loss", "mean over the workers, each at its own model", "",
          Better::low},
    Known{"worker_test_loss", "workers' test loss", "mean over the workers, each at its own model", "", Better::low},
    Known{"worker_test_accuracy", "workers' test accuracy", "mean over the workers, each with its own model", "",
          Better::high},
    Known{"grad_norm_sq", "squared gradient norm", "of the global objective at the mean model", "", Better::low},
    Known{"grad_norm_1", "absolute gradient", "sum over the coordinates, global objective at the mean model", "",
          Better::low},
    Known{"consensus_distance", "consensus distance", "weighted mean of the squared distances to the mean model", "",
          Better::unknown},
    Known{"optimum_distance", "distance to the optimum", "root mean square over the workers", "", Better::low},
    Known{"excess_risk", "excess risk", "mean over the workers; above the minimum, or above algorithm.start", "",
          Better::low},
    Known{"excess_risk_mean", "excess risk of the mean",
          "of the mean model; above the minimum, or above algorithm.start", "", Better::low},
    Known{"hessian_trace", "trace of the Hessian", "at the mean model", "", Better::unknown},
    Known{"hessian_top", "largest Hessian eigenvalue", "at the mean model", "", Better::unknown},
    Known{"hessian_trace_error", "standard error of the trace", "of the estimate at the mean model", "",
          Better::unknown},
    Known{"worker_hessian_trace", "workers' trace of the Hessian", "mean over workers, each at its own model", "",
          Better::unknown},
    Known{"worker_hessian_top", "workers' largest Hessian eigenvalue", "mean over workers, each at its own model", "",
          Better::unknown},
    Known{"mean_norm_sq", "squared norm", "of the mean model", "", Better::unknown},
    Known{"escape_time", "time of escape", "first step past the watched level", "steps", Better::unknown},
    Known{"escape_kilobits", "sent until the escape", "by one worker, numbers at 32 bits", "kbit", Better::unknown},
    Known{"escaped", "escaped", "share of the replicas past the watched level", "", Better::unknown},
    Known{"vote_error", "vote error", "", "", Better::low},
    Known{"vote_agreement", "vote agreement", "", "", Better::unknown},
    Known{"bits_up", "bits sent up", "total so far", "bit", Better::unknown},
    Known{"bits_down", "bits sent down", "total so far", "bit", Better::unknown},
    Known{"bits", "bits sent", "total so far, up and down", "bit", Better::unknown},
    Known{"virtual_time", "virtual time", "", "slots", Better::unknown},
    Known{"steps_done", "worker-steps done", "total so far", "", Better::unknown},
};

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

}  // namespace

bool counts_bits(std::string_view name) { return name == "bits" || name == "bits_up" || name == "bits_down"; }

MetricInfo metric_info(std::string_view name) {
  MetricInfo info;
  info.title = name;
  info.counts = counts_bits(name) || name == "virtual_time" || name == "steps_done";
  info.median = name == "escape_time";
  info.log_allowed = !info.counts && !contains(name, "accuracy");
  for (const Known& k : kKnown)
    if (k.name == name) {
      info.title = k.title, info.detail = k.detail, info.unit = k.unit, info.better = k.better;
      return info;
    }
  if (name.starts_with("dispersion_") && name.size() > 11) {
    info.title = "dispersion, " + std::string(name.substr(11));
    info.detail = "the part of the consensus distance that belongs to this tier";
  } else if (name.starts_with("divergence_") && name.size() > 11) {
    info.title = "divergence, " + std::string(name.substr(11));
    info.detail = "the part of the gradients' divergence that belongs to this tier";
  } else if (contains(name, "accuracy")) {
    info.better = Better::high;
  } else if (contains(name, "loss")) {
    info.better = Better::low;
  }
  return info;
}

}  // namespace orrery::report
