// 4 lanes of the compiler's own vector type: any machine, no intrinsics.
#pragma once
#include "../core/base.h"

#define ISA portable

namespace latentkit {
namespace portable {

constexpr int LANES = 4;
constexpr int DOT_MR = 2, DOT_NR = 4, DOT_ONE = 4;
constexpr int AXPY_MR = 2, AXPY_NV = 4, AXPY_ONE = 8;
constexpr int SCORE_SUMS = 8, PANEL_MR = 4, PANEL_NV = 2;

#include "generic.h"

INLINE F set1(float x) { return F{x, x, x, x}; }
// Two roundings: a single one would be a library call where the machine has no such instruction.
INLINE F fma(F a, F b, F c) { return a * b + c; }

#include "four-lanes.h"

INLINE F loadF16(const uint16_t* from) { return f16Floats(widen(from)); }
INLINE void storeF16(uint16_t* to, F x) { narrow(to, f16Codes(x)); }

#include "plain-dots.h"
#include "functions.h"

}  // namespace portable
}  // namespace latentkit
