// MNIST: handwritten digits, 28x28, 10 classes (LeCun, Bottou, Bengio, Haffner 1998).
#include "datasets/idx_source.hpp"

namespace orrery::data {

extern const Entry<DataSource> mnist{"mnist", "handwritten digits, 28x28 grey, 10 classes, 60,000 + 10,000 (files)",
                                     [](Params& p) { return make_idx_source(p, mnist_like("mnist")); }};

}  // namespace orrery::data
