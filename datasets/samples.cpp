#include "datasets/samples.hpp"

namespace orrery {
namespace {

template <class T>
void keep(std::vector<T>& v, int64_t n) {
  if (v.empty()) return;
  v.resize(static_cast<size_t>(n));
  v.shrink_to_fit();
}

template <class T>
std::vector<T> tail(const std::vector<T>& v, int64_t from) {
  return v.empty() ? v : std::vector<T>(v.begin() + from, v.end());
}

}  // namespace

void keep_first(Samples& s, int64_t n) {
  expects(n >= 0 && n <= s.count, "no more samples than there are");
  s.count = n;
  keep(s.bytes, n * s.features);
  keep(s.values, n * s.features);
  keep(s.labels, n);
  if (s.sparse.empty()) return;
  keep(s.sparse.begin, n + 1);
  keep(s.sparse.column, s.sparse.begin.back());
  keep(s.sparse.value, s.sparse.begin.back());
}

Samples take_last(Samples& s, int64_t n) {
  expects(n >= 0 && n <= s.count, "no more samples than there are");
  const int64_t first = s.count - n;
  Samples last;
  last.count = n;
  last.features = s.features;
  last.bytes = tail(s.bytes, first * s.features);
  last.values = tail(s.values, first * s.features);
  last.labels = tail(s.labels, first);
  if (!s.sparse.empty()) {
    last.sparse.begin = tail(s.sparse.begin, first);
    const int64_t entry = last.sparse.begin.front();
    for (auto& b : last.sparse.begin) b -= entry;
    last.sparse.column = tail(s.sparse.column, entry);
    last.sparse.value = tail(s.sparse.value, entry);
  }
  keep_first(s, first);
  return last;
}

int64_t stored_values(const Samples& s) {
  return s.sparse.empty() ? s.count * s.features : static_cast<int64_t>(s.sparse.value.size());
}

int64_t stored_bytes(const Samples& s) {
  return static_cast<int64_t>(s.bytes.size() + 4 * s.values.size() + 4 * s.labels.size() + 8 * s.sparse.begin.size() +
                              4 * s.sparse.column.size() + 4 * s.sparse.value.size());
}

}  // namespace orrery
