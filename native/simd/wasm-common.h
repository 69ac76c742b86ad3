// What both sets of WebAssembly share. The header of each defines ACTIVATION_BYTES before it includes this.
#pragma once
#include <wasm_simd128.h>

// Unrolled, the compiler gathers all products before it adds them, and engines have 16 registers: twice the time.
#define VECTOR_LOOP _Pragma("clang loop unroll(disable)")

// One row alone takes as long as its additions wait for each other.
#define ALONE_BYTES 0

#ifndef ACTIVATION_BYTES
#define ACTIVATION_BYTES 2
#endif

#include "four-lanes.h"

namespace latentkit::LATENTKIT_ISA {

constexpr int DOT_MR = 2, DOT_NR = 4, DOT_ONE = 8;
constexpr int AXPY_MR = 2, AXPY_NV = 4, AXPY_ONE = 8;
constexpr int SCORE_SUMS = 8, PANEL_MR = 4, PANEL_NV = 2;

INLINE F set1(float x) { return F{x, x, x, x}; }
INLINE F root(F x) { return (F)wasm_f32x4_sqrt((v128_t)x); }

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

typedef v128_t Dots;
INLINE Dots dots(int32_t start) { return wasm_i32x4_splat(start); }
INLINE I dotTotals(Dots sum) { return (I)sum; }

// Codes are multiplied term by term, each with a term of the activations.
typedef v128_t Term;
struct Four {
  Term terms[2];
};

#define LATENTKIT_CODE_PANELS
constexpr i64 CODES_TOKENS = 8;
constexpr int CODES_MR = 4, CODES_NP = 2;

}  // namespace latentkit::LATENTKIT_ISA
