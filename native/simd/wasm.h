// 4 lanes: WebAssembly SIMD. It has no fused multiply-add whose result is the same on every machine, and multiplies pairs
// of 16 bits at the least.
#pragma once

// By itself, as in an editor, this header is of its own set.
#ifndef LATENTKIT_ISA
#define LATENTKIT_ISA wasm
#define LATENTKIT_LANES 4
#define LATENTKIT_SIMD "wasm.h"
#endif

#define ACTIVATION_BYTES 2
#include "wasm-common.h"

namespace latentkit::LATENTKIT_ISA {

INLINE F fma(F a, F b, F c) { return a * b + c; }

constexpr int WIDE_OFFSET = 128;

// Columns 0 and 2, and 1 and 3, four times each as 16 bits: bytes of weights become such pairs by a mask and a shift,
// and a product of pairs sums those of one row. The activations lie as such pairs.
template <bool> constexpr int TERMS = 2;
template <bool> struct Decoded {
  Term terms[2];
};
INLINE void storeActivations(char* step, int v, I x) {
  const v128_t pairs = wasm_i32x4_shuffle((v128_t)x, (v128_t)x, 0, 2, 1, 3);
  wasm_v128_store64_lane(step + 8 * v, wasm_i16x8_narrow_i32x4(pairs, pairs), 0);
}
template <bool> INLINE Term activationTerm(const int8_t* step, int i) { return wasm_v128_load32_splat(step + 4 * i); }
template <bool WIDE> INLINE Four spread(const int8_t* step, int j) {
  return {{activationTerm<WIDE>(step, 2 * j), activationTerm<WIDE>(step, 2 * j + 1)}};
}
template <bool WIDE, int OFFSET> INLINE Decoded<WIDE> decoded(Bytes w) {
  const v128_t even = wasm_v128_and((v128_t)w, wasm_i16x8_splat(255)), odd = wasm_u16x8_shr((v128_t)w, 8);
  return {{wasm_i16x8_sub(even, wasm_i16x8_splat(OFFSET)), wasm_i16x8_sub(odd, wasm_i16x8_splat(OFFSET))}};
}
constexpr bool DECODED_SIGNED = true;

template <bool> INLINE Dots dotTerm(Dots sum, Term w, Term x) { return wasm_i32x4_add(sum, wasm_i32x4_dot_i16x8(w, x)); }
template <bool WIDE> INLINE Dots dot4(Dots sum, Bytes w, Four x) {
  const Decoded<WIDE> codes = decoded<WIDE, 0>(w);
  const v128_t even = wasm_i32x4_dot_i16x8(codes.terms[0], x.terms[0]);
  return wasm_i32x4_add(sum, wasm_i32x4_add(even, wasm_i32x4_dot_i16x8(codes.terms[1], x.terms[1])));
}

}  // namespace latentkit::LATENTKIT_ISA
