// 4 lanes: WebAssembly SIMD. It has no fused multiply-add whose result is the same on every machine.
#pragma once
#include <wasm_simd128.h>

// By itself, as in an editor, this header is of its own set.
#ifndef LATENTKIT_ISA
#define LATENTKIT_ISA wasm
#define LATENTKIT_LANES 4
#define LATENTKIT_SIMD "wasm.h"
#endif

// Unrolled, the compiler gathers all products before it adds them, and engines have 16 registers: twice the time.
#define VECTOR_LOOP _Pragma("clang loop unroll(disable)")

#define ACTIVATION_BYTES 2

#include "generic.h"
#include "four-lanes.h"

namespace latentkit::LATENTKIT_ISA {

constexpr int DOT_MR = 2, DOT_NR = 4, DOT_ONE = 4;
constexpr int AXPY_MR = 2, AXPY_NV = 4, AXPY_ONE = 8;
constexpr int SCORE_SUMS = 8, PANEL_MR = 4, PANEL_NV = 2;

INLINE F set1(float x) { return F{x, x, x, x}; }
INLINE F fma(F a, F b, F c) { return a * b + c; }

// As f16Floats, in half the instructions: the sign spreads where the shift then leaves it.
INLINE F loadF16(const uint16_t* from) {
  const v128_t code = wasm_v128_and(wasm_i32x4_shl(wasm_i32x4_load16x4(from), 13), wasm_i32x4_splat((int32_t)0x8fffe000));
  const v128_t exponent = wasm_i32x4_splat(0x0f800000), scaled = wasm_f32x4_mul(code, wasm_f32x4_splat(0x1p112f));
  const v128_t isSpecial = wasm_i32x4_eq(wasm_v128_and(code, exponent), exponent);
  return (F)wasm_v128_or(scaled, wasm_u32x4_min(isSpecial, wasm_i32x4_splat(0x7f800000)));
}
INLINE void storeF16(uint16_t* to, F x) { narrow(to, f16Codes(x)); }

INLINE Bytes lookup(const u8* table, Bytes codes) {
  return (Bytes)wasm_i8x16_swizzle(wasm_v128_load(table), (v128_t)codes);
}

constexpr int PACKED_MR = 2, PACKED_NP = 4, PACKED_ONE = 4;
constexpr int WIDE_OFFSET = 128;
// Columns 0 and 2, and 1 and 3, four times each as 16 bits: bytes of weights become such pairs by a mask and a shift,
// and a product of pairs sums those of one row. The activations lie as such pairs.
struct Four {
  v128_t even, odd;
};
typedef v128_t Dots;
INLINE void storeActivations(char* to, I x) {
  const v128_t pairs = wasm_i32x4_shuffle((v128_t)x, (v128_t)x, 0, 2, 1, 3);
  wasm_v128_store64_lane(to, wasm_i16x8_narrow_i32x4(pairs, pairs), 0);
}
INLINE Four spread(const int8_t* x) { return {wasm_v128_load32_splat(x), wasm_v128_load32_splat(x + 4)}; }
INLINE Dots dots(int32_t start) { return wasm_i32x4_splat(start); }
template <bool WIDE> INLINE Dots dot4(Dots sum, Bytes w, Four x) {
  const v128_t even = wasm_v128_and((v128_t)w, wasm_i16x8_splat(255)), odd = wasm_u16x8_shr((v128_t)w, 8);
  sum = wasm_i32x4_add(sum, wasm_i32x4_add(wasm_i32x4_dot_i16x8(even, x.even), wasm_i32x4_dot_i16x8(odd, x.odd)));
  return sum;
}
INLINE I dotTotals(Dots sum) { return (I)sum; }

}  // namespace latentkit::LATENTKIT_ISA
