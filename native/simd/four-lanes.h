// What the four-lane headers (portable, NEON, WebAssembly) share: partial and converting loads and stores, and sums,
// on the compiler's vector types.
#pragma once
#include "generic.h"

namespace latentkit::LATENTKIT_ISA {

INLINE F loadPart(const float* from, int n) {
  F x = {};
  for (int i = 0; i < n; i++) x[i] = from[i];
  return x;
}
INLINE void storePart(float* to, F x, int n) {
  for (int i = 0; i < n; i++) to[i] = x[i];
}

typedef uint16_t H __attribute__((vector_size(8)));
typedef uint16_t UnalignedH __attribute__((vector_size(8), aligned(2), may_alias));
typedef uint8_t B __attribute__((vector_size(4)));

INLINE U widen(const uint16_t* from) { return __builtin_convertvector(H(*(const UnalignedH*)from), U); }
INLINE void narrow(uint16_t* to, U codes) { *(UnalignedH*)to = __builtin_convertvector(codes, H); }

INLINE F loadBf16(const uint16_t* from) { return (F)(widen(from) << 16); }
INLINE F loadE4m3(const uint8_t* from) {
  B codes;
  copyBytes(&codes, from, LANES);
  return e4m3Floats(__builtin_convertvector(codes, U));
}
INLINE void storeBf16(uint16_t* to, F x) { narrow(to, bf16Codes(x)); }

// Lanes i, i + 2; then the last two.
INLINE float sum(F x) { return (x[0] + x[2]) + (x[1] + x[3]); }
INLINE void storeSums4(float* to, F a, F b, F c, F d) {
  const F lo = F{a[0], b[0], c[0], d[0]} + F{a[2], b[2], c[2], d[2]};
  const F hi = F{a[1], b[1], c[1], d[1]} + F{a[3], b[3], c[3], d[3]};
  store(to, lo + hi);
}

INLINE float hmaxNan(F x) {
  float max = x[0];
  for (int i = 1; i < LANES; i++) max = x[i] > max || x[i] != x[i] ? x[i] : max;
  return max;
}

INLINE F vmax(F a, F b) { return b > a ? b : a; }
INLINE F vmin(F a, F b) { return b < a ? b : a; }
INLINE float hmax(F x) {
  float max = x[0];
  for (int i = 1; i < LANES; i++) max = x[i] > max ? x[i] : max;
  return max;
}

INLINE uint32_t signBits(I x) {
  uint32_t bits = 0;
  for (int i = 0; i < LANES; i++) bits |= (uint32_t)x[i] >> 31 << i;
  return bits;
}

INLINE F spreadPair(const float* two) {
  typedef i64 Pairs __attribute__((vector_size(16)));
  const i64 both = bitsAs<i64>(*(const EightBytes*)two);
  return (F)Pairs{both, both};
}
INLINE F pairSums(F a, F b) { return F{a[0], a[2], b[0], b[2]} + F{a[1], a[3], b[1], b[3]}; }

INLINE void transpose(F (&x)[LANES]) {
#if __has_builtin(__builtin_shufflevector)
  const F a = __builtin_shufflevector(x[0], x[1], 0, 4, 1, 5), b = __builtin_shufflevector(x[0], x[1], 2, 6, 3, 7);
  const F c = __builtin_shufflevector(x[2], x[3], 0, 4, 1, 5), d = __builtin_shufflevector(x[2], x[3], 2, 6, 3, 7);
  x[0] = __builtin_shufflevector(a, c, 0, 1, 4, 5);
  x[1] = __builtin_shufflevector(a, c, 2, 3, 6, 7);
  x[2] = __builtin_shufflevector(b, d, 0, 1, 4, 5);
  x[3] = __builtin_shufflevector(b, d, 2, 3, 6, 7);
#else
  // GCC before 12.
  const F a = x[0], b = x[1], c = x[2], d = x[3];
  for (int i = 0; i < LANES; i++) x[i] = F{a[i], b[i], c[i], d[i]};
#endif
}

INLINE void transposePairs(F (&x)[LANES / 2]) {
  const F a = x[0], b = x[1];
  x[0] = F{a[0], a[1], b[0], b[1]};
  x[1] = F{a[2], a[3], b[2], b[3]};
}

// LANES bytes.
typedef int8_t NarrowI __attribute__((vector_size(LANES), aligned(1), may_alias));
typedef u8 NarrowU __attribute__((vector_size(LANES), aligned(1), may_alias));
INLINE I loadI8(const u8* from) { return __builtin_convertvector(*(const NarrowI*)from, I); }
INLINE U loadU8(const u8* from) { return __builtin_convertvector(*(const NarrowU*)from, U); }
INLINE void storeI8(int8_t* to, I x) { *(NarrowI*)to = __builtin_convertvector(x, NarrowI); }

}  // namespace latentkit::LATENTKIT_ISA
