// What every instruction set has in common, on the compiler's vector types of LANES floats: the types, loads and stores of
// whole vectors, conversions of short floats. The header of each set includes this first.
#pragma once
#include "../core/base.h"
#include "set.h"

// Before the loop over a step's vectors of codes.
#ifndef VECTOR_LOOP
#define VECTOR_LOOP _Pragma("GCC unroll 8")
#endif

// Of a quantised activation, as spread reads it. Where it is not 1, the header has storeActivations, which writes LANES.
#ifndef ACTIVATION_BYTES
#define ACTIVATION_BYTES 1
#endif

// Multiplied with one token, weight rows of fewer bytes are read one after the other.
#ifndef ALONE_BYTES
#define ALONE_BYTES 4096
#endif

// Whether the integer sums of wide codes begin with the sum of the negative activations, without their sign.
#ifndef NEGATIVE_SUMS
#define NEGATIVE_SUMS 0
#endif

namespace latentkit::LATENTKIT_ISA {

typedef float F __attribute__((vector_size(LANES * 4)));
typedef int32_t I __attribute__((vector_size(LANES * 4)));
typedef uint32_t U __attribute__((vector_size(LANES * 4)));

// LANES times four bytes: four codes of each of LANES weight rows.
typedef u8 Bytes __attribute__((vector_size(LANES * 4)));
typedef uint16_t Words __attribute__((vector_size(LANES * 4)));
typedef u8 UnalignedBytes __attribute__((vector_size(LANES * 4), aligned(1), may_alias));

INLINE Bytes loadBytes(const u8* from) { return *(const UnalignedBytes*)from; }

// Pairs of bf16 are loaded as floats, too: their rows begin at even addresses.
typedef float UnalignedF __attribute__((vector_size(LANES * 4), aligned(2), may_alias));

INLINE F load(const float* from) { return *(const UnalignedF*)from; }
INLINE void store(float* to, F x) { *(UnalignedF*)to = x; }

// The first n elements of a row of short floats, zeros behind them.
template <class T> struct PartOf {
  T elements[LANES];
  INLINE PartOf(const T* from, int n) {
    for (int i = 0; i < LANES; i++) elements[i] = 0;
    for (int i = 0; i < n; i++) elements[i] = from[i];
  }
};

// Short floats, one in the low bits of each lane, as f32: the fields move into place, and an exact product corrects the
// bias of the exponent, of subnormal numbers too.
INLINE F f16Floats(U codes) {
  const U magnitude = codes & 0x7fff, sign = (codes & 0x8000) << 16;
  const F scaled = (F)(magnitude << 13) * 0x1p112f;
  return (F)((magnitude >= 0x7c00 ? ((magnitude << 13) | 0x7f800000) : (U)scaled) | sign);
}

INLINE F e4m3Floats(U codes) {
  const U magnitude = codes & 0x7f, sign = (codes & 0x80) << 24;
  const F scaled = (F)(magnitude << 20) * 0x1p120f;
  const U nan = (U)(magnitude == 0x7f) & 0x7fc00000;
  return (F)((U)scaled | nan | sign);
}

// The other way, rounded to nearest, ties to even.
INLINE U bf16Codes(F x) {
  const U bits = (U)x;
  const U rounded = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
  return x == x ? rounded : U{} + 0x7fc0;
}

INLINE U f16Codes(F x) {
  const U bits = (U)x & 0x7fffffff, sign = ((U)x >> 16) & 0x8000;
  // Normal results: round the 13 bits that go away, rebias. Subnormal ones: let an addition at the right scale round.
  const U normal = (bits + 0xfff + ((bits >> 13) & 1) - 0x38000000) >> 13;
  const U small = (U)((F)bits + 0.5f) - 0x3f000000;
  U code = bits < 0x38800000 ? small : normal;
  code = bits >= 0x477ff000 ? U{} + 0x7c00 : code;
  code = bits > 0x7f800000 ? U{} + 0x7e00 : code;
  return code | sign;
}

INLINE F floats(I x) { return __builtin_convertvector(x, F); }
// Nearest integers, ties to even; |x| < 2^22.
INLINE I nearestIntegers(F x) { return (I)(x + 12582912.0f) - (I)(F{} + 12582912.0f); }

// Lane i set where bit i is.
INLINE I lanesOf(uint32_t bits) {
  I lanes = {};
  for (int i = 0; i < LANES; i++) lanes[i] = 1 << i;
  return (lanes & (int32_t)bits) != 0;
}

// Lane-wise larger of two, NaN if one is.
INLINE F vmaxNan(F a, F b) { return b > a ? b : b == b ? a : b; }

}  // namespace latentkit::LATENTKIT_ISA
