#include "runtime/compressed/channel.hpp"

#include "kernels/combine_banks.hpp"

namespace orrery {

template <class T>
Channel<T>::Channel(const Context& ctx, const Rows& rows, const BankShape& shape, const Compressor* compressor,
                    bool send_bytes)
    : rows_(rows), shape_(shape), compressor_(compressor), send_bytes_(send_bytes && compressor) {
  if (compressor) compression_ = compressor->bind(ctx, rows, shape, T{});
  if (!send_bytes_) return;
  seed_ = to_host(ctx, rows.seed);
  worker_ = to_host(ctx, rows.worker);
}

template <class T>
void Channel<T>::send(const Context& ctx, const SendTime& at, MatrixView<const T> x, MatrixView<T> q) {
  if (!compression_) {
    combine_banks<T>(ctx, {}, {{1, x}}, q);
    return;
  }
  compression_->apply(ctx, rows_, at.slot, x, q);
  if (counts()) counted_ = to_host(ctx, compression_->counted());
  if (send_bytes_) through_bytes(ctx, at, x, q);
}

template <class T>
void Channel<T>::through_bytes(const Context& ctx, const SendTime& at, MatrixView<const T> x, MatrixView<T> q) {
  const auto from = to_host(ctx, x);
  std::vector<T> received(from.size());
  for (int64_t r = 0; r < rows_.count; ++r) {
    const auto i = static_cast<size_t>(r);
    const RowKey key{r, seed_[i], worker_[i], Step(at.now, at.slot.repeat)};
    wire::BitWriter out;
    compression_->pack(key, from.data() + r * shape_.parameters, out);
    expects(out.bits() == bits(at.now) + (counts() ? counted_[i] : 0), "a message as long as the ledger says");
    wire::BitReader in(out.bytes());
    compression_->unpack(key, in, received.data() + r * shape_.parameters);
  }
  detail::copy(ctx, q.data(), ctx.backend, received.data(), Backend::cpu, q.size() * int64_t{sizeof(T)});
}

template <class T>
int64_t Channel<T>::bits(int64_t slot) const {
  constexpr int64_t real_bits = 8 * int64_t{sizeof(T)};
  return compressor_ ? compressor_->bits(shape_, real_bits, slot) : shape_.parameters * real_bits;
}

template class Channel<float>;
template class Channel<double>;

}  // namespace orrery
