// Fashion-MNIST: articles of clothing in the format of MNIST (Xiao, Rasul, Vollgraf, arXiv:1708.07747).
#include "datasets/idx_source.hpp"

namespace orrery::data {

extern const Entry<DataSource> fashion_mnist{"fashion-mnist",
                                             "articles of clothing, 28x28 grey, 10 classes, 60,000 + 10,000 (files)",
                                             [](Params& p) { return make_idx_source(p, mnist_like("fashion-mnist")); }};

}  // namespace orrery::data
