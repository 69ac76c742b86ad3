// 4 lanes: WebAssembly SIMD. It has no fused multiply-add whose result is the same on every machine.
#pragma once
#include "../core/base.h"

#define ISA wasm

namespace latentkit {
namespace wasm {

constexpr int LANES = 4;
constexpr int DOT_MR = 2, DOT_NR = 4, DOT_ONE = 4;
constexpr int AXPY_MR = 2, AXPY_NV = 4, AXPY_ONE = 8;

#include "generic.h"

INLINE F set1(float x) { return F{x, x, x, x}; }
INLINE F fma(F a, F b, F c) { return a * b + c; }

#include "four-lanes.h"

INLINE F loadF16(const uint16_t* from) { return f16Floats(widen(from)); }
INLINE void storeF16(uint16_t* to, F x) { narrow(to, f16Codes(x)); }

#include "functions.h"

}  // namespace wasm
}  // namespace latentkit
