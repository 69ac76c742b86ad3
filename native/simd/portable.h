// 4 lanes of the compiler's own vector type: any machine, no intrinsics.
#pragma once
#include "generic.h"
#include "four-lanes.h"
#include "plain-dots.h"

namespace latentkit::LATENTKIT_ISA {

constexpr int DOT_MR = 2, DOT_NR = 4, DOT_ONE = 4;
constexpr int AXPY_MR = 2, AXPY_NV = 4, AXPY_ONE = 8;
constexpr int SCORE_SUMS = 8, PANEL_MR = 4, PANEL_NV = 2;

INLINE F set1(float x) { return F{x, x, x, x}; }
// Two roundings: a single one would be a library call where the machine has no such instruction.
INLINE F fma(F a, F b, F c) { return a * b + c; }

INLINE F root(F x) {
  for (int i = 0; i < LANES; i++) x[i] = __builtin_sqrtf(x[i]);
  return x;
}

INLINE F loadF16(const uint16_t* from) { return f16Floats(widen(from)); }
INLINE void storeF16(uint16_t* to, F x) { narrow(to, f16Codes(x)); }

}  // namespace latentkit::LATENTKIT_ISA
