// What can go wrong because of what a user gave us. Libraries throw these; only cli/main.cpp prints and exits.
// A message is one sentence: what is wrong; what to do.
#pragma once

#include <stdexcept>
#include <string>

namespace orrery {

enum class ExitCode {
  done = 0,
  experiment = 2,
  data = 3,
  device = 4,
  non_finite = 5,
  expectation = 6,
  interrupted = 130
};

class UserError : public std::runtime_error {
 public:
  UserError(ExitCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  ExitCode code() const { return code_; }

 private:
  ExitCode code_;
};

struct ExperimentError : UserError {  // usage or experiment file
  explicit ExperimentError(const std::string& m) : UserError(ExitCode::experiment, m) {}
};
struct DataError : UserError {  // a data file is missing, truncated or corrupt
  explicit DataError(const std::string& m) : UserError(ExitCode::data, m) {}
};
struct DeviceError : UserError {  // no such device, not enough memory, a CUDA call failed
  explicit DeviceError(const std::string& m) : UserError(ExitCode::device, m) {}
};
struct NonFiniteError : UserError {  // the numbers became non-finite
  explicit NonFiniteError(const std::string& m) : UserError(ExitCode::non_finite, m) {}
};

// A broken contract between two of our own functions: a defect, never the user's fault.
inline void expects(bool condition, const char* what) {
  if (!condition) throw std::logic_error(std::string("expects ") + what);
}

}  // namespace orrery
