// 4 lanes: NEON of AArch64.
#pragma once
#include <arm_neon.h>

// By itself, as in an editor, this header is of its own set.
#ifndef LATENTKIT_ISA
#define LATENTKIT_ISA neon
#define LATENTKIT_LANES 4
#define LATENTKIT_SIMD "neon.h"
#endif

#include "generic.h"
#include "four-lanes.h"
#include "plain-dots.h"

namespace latentkit::LATENTKIT_ISA {

// Register tiles: of 32 registers, MR x NR hold sums.
constexpr int DOT_MR = 4, DOT_NR = 6, DOT_ONE = 8;
constexpr int AXPY_MR = 4, AXPY_NV = 4, AXPY_ONE = 16;
constexpr int SCORE_SUMS = 16, PANEL_MR = 8, PANEL_NV = 2;

INLINE F set1(float x) { return (F)vdupq_n_f32(x); }
INLINE F fma(F a, F b, F c) { return (F)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b); }
INLINE F root(F x) { return (F)vsqrtq_f32((float32x4_t)x); }
INLINE F loadF16(const uint16_t* from) { return (F)vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(from))); }
INLINE void storeF16(uint16_t* to, F x) { vst1_u16(to, vreinterpret_u16_f16(vcvt_f16_f32((float32x4_t)x))); }

}  // namespace latentkit::LATENTKIT_ISA
