// 4 lanes: WebAssembly SIMD with two relaxed instructions, whose results may differ between machines. The host takes this set
// only where it has seen that the multiply-add rounds once (src/kernels/core/wasm/sets.ts), and the dot product gets
// nothing here that machines treat differently: so the bits are the same wherever it runs.
#pragma once

// By itself, as in an editor, this header is of its own set.
#ifndef LATENTKIT_ISA
#define LATENTKIT_ISA relaxed
#define LATENTKIT_LANES 4
#define LATENTKIT_SIMD "wasm-relaxed.h"
#endif

#define ACTIVATION_BYTES 3
#define NEGATIVE_SUMS 1
#include "wasm-common.h"

namespace latentkit::LATENTKIT_ISA {

INLINE F fma(F a, F b, F c) { return (F)wasm_f32x4_relaxed_madd((v128_t)a, (v128_t)b, (v128_t)c); }

constexpr int WIDE_OFFSET = 0;

// The dot product is exact where its second factor lies within 0 .. 127; the first may be any signed byte. Codes below 64
// are such a second factor. Wide ones, as signed bytes w, are the first, and the activations' positive and negative parts
// the second:  sum of w x = sum of w x+ + sum of ~w x- + sum of x-,  since -w = ~w + 1 (and -128 has no opposite).
// So a step of 32 activations lies as 32 bytes x, then 4 bytes x+ and 4 bytes x- of every four.
template <bool WIDE> constexpr int TERMS = WIDE ? 2 : 1;
template <bool WIDE> struct Decoded {
  Term terms[TERMS<WIDE>];
};
INLINE void storeActivations(char* step, int v, I x) {
  const v128_t zero = {}, positive = wasm_i32x4_max((v128_t)x, zero), negative = wasm_i32x4_max((v128_t)-x, zero);
  const v128_t words = wasm_i16x8_narrow_i32x4((v128_t)x, (v128_t)x), parts = wasm_i16x8_narrow_i32x4(positive, negative);
  const v128_t bytes = wasm_i8x16_narrow_i16x8(words, parts);
  wasm_v128_store32_lane(step + 4 * v, bytes, 0);
  wasm_v128_store64_lane(step + 32 + 8 * v, bytes, 1);
}
template <bool WIDE> INLINE Term activationTerm(const int8_t* step, int i) {
  return wasm_v128_load32_splat(step + (WIDE ? 32 : 0) + 4 * i);
}
template <bool WIDE> INLINE Four spread(const int8_t* step, int j) {
  Four four;
  for (int i = 0; i < TERMS<WIDE>; i++) four.terms[i] = activationTerm<WIDE>(step, TERMS<WIDE> * j + i);
  return four;
}
template <bool WIDE, int> INLINE Decoded<WIDE> decoded(Bytes w) {
  if constexpr (WIDE) {
    return {{wasm_v128_xor((v128_t)w, wasm_i8x16_splat(-128)), wasm_v128_xor((v128_t)w, wasm_i8x16_splat(127))}};
  } else {
    return {{(v128_t)w}};
  }
}
constexpr bool DECODED_SIGNED = false;

template <bool WIDE> INLINE Dots dotTerm(Dots sum, Term w, Term x) {
  return WIDE ? wasm_i32x4_relaxed_dot_i8x16_i7x16_add(w, x, sum) : wasm_i32x4_relaxed_dot_i8x16_i7x16_add(x, w, sum);
}
template <bool WIDE> INLINE Dots dot4(Dots sum, Bytes w, Four x) {
  const Decoded<WIDE> codes = decoded<WIDE, 0>(w);
#pragma GCC unroll 2
  for (int i = 0; i < TERMS<WIDE>; i++) sum = dotTerm<WIDE>(sum, codes.terms[i], x.terms[i]);
  return sum;
}

}  // namespace latentkit::LATENTKIT_ISA
