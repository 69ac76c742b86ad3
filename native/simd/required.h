// What the header of an instruction set must provide beyond generic.h, checked by the compiler: to add a set, write these.
//
// Sizes of register tiles that suit the set's registers:
//
//   DOT_MR, DOT_NR, DOT_ONE        dot products: rows of x by rows of w; rows of w for a single row of x
//   AXPY_MR, AXPY_NV, AXPY_ONE     sums along columns: rows by vectors of columns; vectors for a single row
//   SCORE_SUMS                     sums that attention's scores keep in registers
//   PANEL_MR, PANEL_NV             rows by vectors of columns of a panel of values
//   PACKED_MR, PACKED_NP           rows by vectors of weight rows of an integer product
//   PACKED_ONE                     vectors of weight rows for a single row
//   WIDE_OFFSET                    what the integer product takes from codes that may be above 63: 128, or 0 where the
//                                  machine multiplies signed bytes only and `dot4` has taken 128 away itself
//
// A set may define before it includes generic.h: VECTOR_LOOP (a pragma before the loop over a step's vectors of codes),
// ALONE_BYTES (which weight rows one token is multiplied with one after the other), ACTIVATION_BYTES (bytes of a quantised
// activation as `spread` reads it; where it is not 1, the set has storeActivations(char* step, int v, I), which writes the
// v-th LANES of a step) and NEGATIVE_SUMS (1: products of wide codes lack the sum of the negative activations, without their
// sign). Where LATENTKIT_BF16_PAIRS is defined, the machine adds products of pairs of bf16 to an f32 sum; where
// LATENTKIT_CODE_PANELS is, codes are decoded once for many tokens. What they take stands at the end.
#pragma once
#include "simd.h"

namespace latentkit::LATENTKIT_ISA {

static_assert(DOT_MR > 0 && DOT_NR > 0 && DOT_ONE > 0 && AXPY_MR > 0 && AXPY_NV > 0 && AXPY_ONE > 0);
static_assert(SCORE_SUMS > 0 && PANEL_MR > 0 && PANEL_NV > 0 && PACKED_MR > 0 && PACKED_NP > 0 && PACKED_ONE > 0);
static_assert(WIDE_OFFSET == 0 || WIDE_OFFSET == 128);

// Never called: that it compiles is the check.
template <class Result, class Given> INLINE void returns(Given) {
  static_assert(__is_same(Result, Given));
}

[[maybe_unused]] static void required(const F f, const I i, const Bytes bytes, const float* from, const u8* codes,
                                      const uint16_t* halves, float* to, u8* toCodes, uint16_t* toHalves) {
  // One number in every lane; a b + c, rounded once where the machine can; square roots.
  returns<F>(set1(1.0f));
  returns<F>(fma(f, f, f));
  returns<F>(root(f));
  // The first n lanes, zeros elsewhere; nothing beyond is touched.
  returns<F>(loadPart(from, 1));
  storePart(to, f, 1);
  // LANES short floats as f32, exactly; and back, rounded to nearest, ties to even.
  returns<F>(loadF16(halves));
  returns<F>(loadBf16(halves));
  returns<F>(loadE4m3(codes));
  storeF16(toHalves, f);
  storeBf16(toHalves, f);
  // Lanes added in one fixed tree; storeSums4 writes the bits of four sums.
  returns<float>(sum(f));
  storeSums4(to, f, f, f, f);
  // LANES bytes as integers; what is stored lies within -128 .. 127.
  returns<I>(loadI8(codes));
  returns<U>(loadU8(codes));
  storeI8((int8_t*)toCodes, i);
  // Of each byte (below 16) its entry in a table of 16 bytes.
  returns<Bytes>(lookup(codes, bytes));
  // The integer dot product: lane l of `Dots` sums w[4 l + i] x[i] over i < 4, exactly, where w are unsigned codes of
  // weights and `Four` holds four signed activations for every lane. <true>: codes may be above 63. dotTotals: the sums of
  // the lanes' rows.
  // spread<WIDE>: the j-th four activations of a step of 32.
  const Four four = spread<true>((const int8_t*)codes, 0), narrow = spread<false>((const int8_t*)codes, 0);
  returns<Dots>(dots(0));
  returns<Dots>(dot4<true>(dots(0), bytes, four));
  returns<Dots>(dot4<false>(dots(0), bytes, narrow));
  returns<I>(dotTotals(dots(0)));
  // The larger and the smaller of two, lane by lane; the largest lane. NaN is ignored. hmaxNan: NaN if there is one.
  returns<F>(vmax(f, f));
  returns<F>(vmin(f, f));
  returns<float>(hmax(f));
  returns<float>(hmaxNan(f));
  // Bit i: whether lane i is negative.
  returns<uint32_t>(signBits(i));
  // Two floats in turn: the first in even lanes, the second in odd ones. The sums of neighbouring lanes, of one vector and
  // behind them of another.
  returns<F>(spreadPair(from));
  returns<F>(pairSums(f, f));
  // LANES vectors transposed; LANES / 2 vectors, whose neighbouring lanes stay together.
  F square[LANES], half[LANES / 2];
  for (F& row : square) row = f;
  for (F& row : half) row = f;
  transpose(square);
  transposePairs(half);
#ifdef LATENTKIT_BF16_PAIRS
  // Pairs of bf16: the low halves of the words from the first, then those from the second. Sum plus the products of both
  // numbers of each word. LANES numbers of each of two rows, one row behind the other; and as words of both rows' columns.
  returns<F>(pairs(f, f));
  returns<F>(addPairs(f, f, f));
  returns<F>(bothHalves(halves, halves));
  returns<F>(interleaved(f));
#endif
#ifdef LATENTKIT_CODE_PANELS
  // From CODES_TOKENS tokens on panels of CODES_NP vectors of weight rows are decoded, for tiles of CODES_MR tokens. A vector
  // of codes becomes TERMS<WIDE> terms (less their offset, DECODED_SIGNED says), each multiplied with one of the activations:
  // term i of a step.
  static_assert(CODES_TOKENS > 0 && CODES_MR > 0);
  returns<bool>(bool(DECODED_SIGNED));
  returns<Dots>(dotTerm<true>(dots(0), decoded<true, 128>(bytes).terms[TERMS<true> - 1], activationTerm<true>((const int8_t*)codes, 0)));
  returns<Dots>(dotTerm<false>(dots(0), decoded<false, 8>(bytes).terms[0], activationTerm<false>((const int8_t*)codes, 0)));
#endif
}

}  // namespace latentkit::LATENTKIT_ISA
