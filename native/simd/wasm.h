// 4 lanes: WebAssembly SIMD. It has no fused multiply-add whose result is the same on every machine.
#pragma once
#include <wasm_simd128.h>

#include "../core/base.h"

#define ISA wasm

namespace latentkit {
namespace wasm {

constexpr int LANES = 4;
constexpr int DOT_MR = 2, DOT_NR = 4, DOT_ONE = 4;
constexpr int AXPY_MR = 2, AXPY_NV = 4, AXPY_ONE = 8;
constexpr int SCORE_SUMS = 8, PANEL_MR = 4, PANEL_NV = 2;

#include "generic.h"

INLINE F set1(float x) { return F{x, x, x, x}; }
INLINE F fma(F a, F b, F c) { return a * b + c; }

#include "four-lanes.h"

INLINE F loadF16(const uint16_t* from) { return f16Floats(widen(from)); }
INLINE void storeF16(uint16_t* to, F x) { narrow(to, f16Codes(x)); }

INLINE Bytes lookup(const u8* table, Bytes codes) {
  return (Bytes)wasm_i8x16_swizzle(wasm_v128_load(table), (v128_t)codes);
}

constexpr int PACKED_MR = 4, PACKED_PARTS = 2;
constexpr int WIDE_OFFSET = 128;
// Four activations twice, as 16 bits.
typedef v128_t Four;
// Two sums of pairs for each of four rows.
struct Dots {
  v128_t low, high;
};
INLINE Four spread(const int8_t* x) { return wasm_i16x8_extend_low_i8x16(wasm_v128_load32_splat(x)); }
INLINE Dots dots(int32_t start) {
  const v128_t first = wasm_i32x4_make(start, 0, start, 0);
  return {first, first};
}
template <bool WIDE> INLINE Dots dot4(Dots sum, Bytes w, Four x) {
  const v128_t low = wasm_i32x4_dot_i16x8(wasm_u16x8_extend_low_u8x16((v128_t)w), x);
  const v128_t high = wasm_i32x4_dot_i16x8(wasm_u16x8_extend_high_u8x16((v128_t)w), x);
  return {wasm_i32x4_add(sum.low, low), wasm_i32x4_add(sum.high, high)};
}
INLINE I total(Dots sum) {
  return (I)wasm_i32x4_add(wasm_i32x4_shuffle(sum.low, sum.high, 0, 2, 4, 6),
                           wasm_i32x4_shuffle(sum.low, sum.high, 1, 3, 5, 7));
}

#include "functions.h"

}  // namespace wasm
}  // namespace latentkit
