#include "datasets/catalogue.hpp"

namespace orrery {
namespace {

PublishedFile plain_text(const char* name, int64_t bytes, const char* sha256) { return {name, bytes, sha256, sha256}; }

PublishedSet libsvm_set(const char* name, const char* toml, std::vector<PublishedFile> files) {
  return {name,       "libsvm",         toml,
          {"libsvm"}, std::move(files), "https://www.csie.ntu.edu.tw/~cjlin/libsvmtools/datasets/binary/",
          ""};
}

}  // namespace

const std::vector<PublishedSet>& published_sets() {
  static const std::vector<PublishedSet> sets{
      {"glyphs", "glyphs", "", {}, {}, "", "is drawn from a seed and needs no files"},
      {"gaussian-mixture", "gaussian-mixture", "", {}, {}, "", "is drawn from a seed and needs no files"},
      {"mnist",
       "mnist",
       "",
       {"mnist"},
       {{"train-images-idx3-ubyte.gz", 9912422, "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609", ""},
        {"train-labels-idx1-ubyte.gz", 28881, "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c", ""},
        {"t10k-images-idx3-ubyte.gz", 1648877, "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6", ""},
        {"t10k-labels-idx1-ubyte.gz", 4542, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6", ""}},
       "https://storage.googleapis.com/cvdf-datasets/mnist/",
       ""},
      {"fashion-mnist",
       "fashion-mnist",
       "",
       {"fashion-mnist"},
       {{"train-images-idx3-ubyte.gz", 26421880, "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
         ""},
        {"train-labels-idx1-ubyte.gz", 29515, "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845", ""},
        {"t10k-images-idx3-ubyte.gz", 4422102, "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073", ""},
        {"t10k-labels-idx1-ubyte.gz", 5148, "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5", ""}},
       "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
       ""},
      {"emnist",
       "emnist",
       "",
       {"emnist", "emnist-byclass-test"},
       {{"emnist-byclass-train-images-idx3-ubyte.gz", 0, "", ""},
        {"emnist-byclass-train-labels-idx1-ubyte.gz", 0, "", ""},
        {"emnist-byclass-test-images-idx3-ubyte.gz", 28908322,
         "5ec835bd5d5b1a66378a132e727fef20fe994b3cc666899befcca5ac766f50cd", ""},
        {"emnist-byclass-test-labels-idx1-ubyte.gz", 81839,
         "501e305eeeacb093b162592d80e8a2632040872360fa6d85cfcb2200d91ca92a", ""}},
       "",
       "is published as one zip archive of all splits (https://www.nist.gov/itl/products-and-services/emnist-dataset); "
       "download it by hand and put the files of your split into $ORRERY_DATA/emnist"},
      libsvm_set("a9a", "train = \"a9a\"\ntest = \"a9a.t\"\nfeatures = 123\n",
                 {plain_text("a9a", 2329875, "f5d5ffd8d865ff41328e7ee043e4b020816914ff6843ff15b98905ddbedce906"),
                  plain_text("a9a.t", 1164628, "1f448a153f0320399a7e40836eb207655b0bde0f21fc941cc472193daa9f5de9")}),
      libsvm_set("w8a", "train = \"w8a\"\ntest = \"w8a.t\"\nfeatures = 300\n",
                 {plain_text("w8a", 3478238, "6a9fa8fd5f524303240a5db07d4b3d4a51e8b7b4b20a914105d8e3e8c81640f2"),
                  plain_text("w8a.t", 1045870, "618929ecb01bebb841daec4cae4aa07b97832d29b08652452775598929547fde")}),
      libsvm_set("mushrooms", "train = \"mushrooms\"\nholdout = 1624\n",
                 {plain_text("mushrooms", 879712, "f39a4eb628dc61a7d43760815b061c9e497aa728ce1ad8bde57a09ef6043b538")}),
      libsvm_set("phishing", "train = \"phishing\"\nholdout = 2211\n",
                 {plain_text("phishing", 3620168, "0cf66ef36604c393da9359b2e5d894a2df8aee31fd184633cefa138add2ef08a")}),
      {"npy", "npy", "", {}, {}, "", "reads your own files, which data.train_x and data.train_y name"},
  };
  return sets;
}

}  // namespace orrery
