// Atomics: one fiber runs at a time, so a plain read and write is atomic. Each returns the old value.
#pragma once

namespace orrery::emulation {
template <class T, class F>
T update(T* p, F f) {
  const T old = *p;
  *p = f(old);
  return old;
}
}  // namespace orrery::emulation

#define ORRERY_EMULATION_ATOMIC(T, name, expression)                                        \
  inline T name(T* p, T v) {                                                                \
    return orrery::emulation::update(p, [v](T old) { return static_cast<T>(expression); }); \
  }                                                                                         \
  inline T name##_block(T* p, T v) { return name(p, v); }                                   \
  inline T name##_system(T* p, T v) { return name(p, v); }

#define ORRERY_EMULATION_INTEGER_ATOMICS(T)                           \
  ORRERY_EMULATION_ATOMIC(T, atomicMin, v < old ? v : old)            \
  ORRERY_EMULATION_ATOMIC(T, atomicMax, v > old ? v : old)            \
  ORRERY_EMULATION_ATOMIC(T, atomicAnd, old& v)                       \
  ORRERY_EMULATION_ATOMIC(T, atomicOr, old | v)                       \
  ORRERY_EMULATION_ATOMIC(T, atomicXor, old ^ v)                      \
  ORRERY_EMULATION_ATOMIC(T, atomicExch, (static_cast<void>(old), v)) \
  inline T atomicCAS(T* p, T expected, T desired) {                   \
    const T old = *p;                                                 \
    if (old == expected) *p = desired;                                \
    return old;                                                       \
  }

ORRERY_EMULATION_INTEGER_ATOMICS(int)
ORRERY_EMULATION_INTEGER_ATOMICS(unsigned)
ORRERY_EMULATION_INTEGER_ATOMICS(unsigned long long)
ORRERY_EMULATION_ATOMIC(long long, atomicMin, v < old ? v : old)
ORRERY_EMULATION_ATOMIC(long long, atomicMax, v > old ? v : old)

// Only the types that CUDA has: no long long, no short.
ORRERY_EMULATION_ATOMIC(int, atomicAdd, static_cast<unsigned>(old) + static_cast<unsigned>(v))
ORRERY_EMULATION_ATOMIC(unsigned, atomicAdd, old + v)
ORRERY_EMULATION_ATOMIC(unsigned long long, atomicAdd, old + v)
ORRERY_EMULATION_ATOMIC(float, atomicAdd, old + v)
ORRERY_EMULATION_ATOMIC(double, atomicAdd, old + v)
ORRERY_EMULATION_ATOMIC(int, atomicSub, static_cast<unsigned>(old) - static_cast<unsigned>(v))
ORRERY_EMULATION_ATOMIC(unsigned, atomicSub, old - v)
ORRERY_EMULATION_ATOMIC(float, atomicExch, (static_cast<void>(old), v))
ORRERY_EMULATION_ATOMIC(unsigned, atomicInc, old >= v ? 0u : old + 1)
ORRERY_EMULATION_ATOMIC(unsigned, atomicDec, old == 0 || old > v ? v : old - 1)

#undef ORRERY_EMULATION_ATOMIC
#undef ORRERY_EMULATION_INTEGER_ATOMICS
