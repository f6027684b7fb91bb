// CUDA's short vectors and dim3, with CUDA's sizes and alignments (CUDA 13: the 64-bit vectors of four also with 32
// bytes).
#pragma once

#define ORRERY_EMULATION_VECTOR1(T, name) \
  struct name {                           \
    T x;                                  \
  };                                      \
  static inline name make_##name(T x) { return name{x}; }
#define ORRERY_EMULATION_VECTOR2(T, name, align) \
  struct alignas(align) name {                   \
    T x, y;                                      \
  };                                             \
  static inline name make_##name(T x, T y) { return name{x, y}; }
#define ORRERY_EMULATION_VECTOR3(T, name) \
  struct name {                           \
    T x, y, z;                            \
  };                                      \
  static inline name make_##name(T x, T y, T z) { return name{x, y, z}; }
#define ORRERY_EMULATION_VECTOR4(T, name, align) \
  struct alignas(align) name {                   \
    T x, y, z, w;                                \
  };                                             \
  static inline name make_##name(T x, T y, T z, T w) { return name{x, y, z, w}; }
#define ORRERY_EMULATION_VECTORS(T, name, align2, align4) \
  ORRERY_EMULATION_VECTOR1(T, name##1)                    \
  ORRERY_EMULATION_VECTOR2(T, name##2, align2)            \
  ORRERY_EMULATION_VECTOR3(T, name##3)                    \
  ORRERY_EMULATION_VECTOR4(T, name##4, align4)
#define ORRERY_EMULATION_VECTORS64(T, name)    \
  ORRERY_EMULATION_VECTORS(T, name, 16, 16)    \
  ORRERY_EMULATION_VECTOR4(T, name##4_16a, 16) \
  ORRERY_EMULATION_VECTOR4(T, name##4_32a, 32)

ORRERY_EMULATION_VECTORS(signed char, char, 2, 4)
ORRERY_EMULATION_VECTORS(unsigned char, uchar, 2, 4)
ORRERY_EMULATION_VECTORS(short, short, 4, 8)
ORRERY_EMULATION_VECTORS(unsigned short, ushort, 4, 8)
ORRERY_EMULATION_VECTORS(int, int, 8, 16)
ORRERY_EMULATION_VECTORS(unsigned, uint, 8, 16)
ORRERY_EMULATION_VECTORS(float, float, 8, 16)
ORRERY_EMULATION_VECTORS64(long, long)
ORRERY_EMULATION_VECTORS64(unsigned long, ulong)
ORRERY_EMULATION_VECTORS64(long long, longlong)
ORRERY_EMULATION_VECTORS64(unsigned long long, ulonglong)
ORRERY_EMULATION_VECTORS64(double, double)

#undef ORRERY_EMULATION_VECTOR1
#undef ORRERY_EMULATION_VECTOR2
#undef ORRERY_EMULATION_VECTOR3
#undef ORRERY_EMULATION_VECTOR4
#undef ORRERY_EMULATION_VECTORS
#undef ORRERY_EMULATION_VECTORS64

struct dim3 {
  unsigned x, y, z;
  constexpr dim3(unsigned vx = 1, unsigned vy = 1, unsigned vz = 1) : x(vx), y(vy), z(vz) {}
  constexpr dim3(uint3 v) : x(v.x), y(v.y), z(v.z) {}
  constexpr operator uint3() const { return uint3{x, y, z}; }
};
