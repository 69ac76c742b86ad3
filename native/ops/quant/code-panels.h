// The product of many quantised rows with packed tiles, for sets that need several instructions to bring codes into the
// form that is multiplied (LATENTKIT_CODE_PANELS): some rows of a tile are decoded once, into a panel, for all tokens.
// Integer sums are exact and groups rise as in product.h, so the bits are the same.
#pragma once
#include "../../simd/simd.h"
#include "../product/epilogue.h"
#include "../product/register-tiles.h"
#include "../product/token-rows.h"
#include "activations.h"
#include "formats.h"
#include "packed-rows.h"

namespace latentkit::LATENTKIT_ISA {

#ifdef LATENTKIT_CODE_PANELS

// A step of a panel: its codes and scales, for CODES_NP vectors of weight rows.
template <bool WIDE, int GROUPS, bool HAS_MIN> struct PanelStep {
  Term codes[8 * TERMS<WIDE>][CODES_NP];
  F scales[GROUPS][CODES_NP];
  F mins[HAS_MIN ? GROUPS : 0][CODES_NP];
};

template <class P> using PanelStepOf = PanelStep<P::WIDE, P::GROUPS_PER_STEP, P::HAS_MIN>;

// The largest there is.
INLINE size_t codePanelBytes(i64 cols) { return (size_t)(cols / STEP) * sizeof(PanelStep<true, 2, true>); }

template <class P>
static __attribute__((noinline)) void decodeCodes(PanelStepOf<P>* panel, const u8* tile, i64 cols, int part) {
  typename P::Step step(tile, 0);
  for (i64 s = 0; s < cols / STEP; s++, step.next(), panel++) {
#pragma GCC unroll 8
    for (int j = 0; j < 8; j++) {
#pragma GCC unroll 4
      for (int p = 0; p < CODES_NP; p++) {
        const Decoded<P::WIDE> codes = decoded<P::WIDE, P::OFFSET>(step.codes(j, part + p));
#pragma GCC unroll 2
        for (int i = 0; i < TERMS<P::WIDE>; i++) panel->codes[TERMS<P::WIDE> * j + i][p] = codes.terms[i];
      }
    }
#pragma GCC unroll 2
    for (int g = 0; g < P::GROUPS_PER_STEP; g++) {
#pragma GCC unroll 4
      for (int p = 0; p < CODES_NP; p++) {
        panel->scales[g][p] = step.scale(g, part + p);
        if constexpr (P::HAS_MIN) panel->mins[g][p] = step.min(g, part + p);
      }
    }
  }
}

// out[t][p]: MR quantised rows times the panel's vectors of weight rows.
template <bool WIDE, int GROUPS, bool HAS_MIN, int MR>
INLINE void codePanelTile(F (&out)[MR][CODES_NP], const PanelStep<WIDE, GROUPS, HAS_MIN>* panel, i64 cols,
                          const char* const* rows, int offset) {
  constexpr int VECTORS = 8 * TERMS<WIDE> / GROUPS;
  const QuantisedLayout at(cols);
  const i64 scaledSumsAt = at.scaledSums[GROUPS - 1];
  F results[MR][CODES_NP];
  clear(results);
  for (i64 s = 0; s < cols / STEP; s++, panel++) {
#pragma GCC unroll 2
    for (int g = 0; g < GROUPS; g++) {
      Dots sums[MR][CODES_NP];
#pragma GCC unroll 8
      for (int t = 0; t < MR; t++) {
        const Dots start = dots(startOf<WIDE, GROUPS>(rows[t], at, s * GROUPS + g, offset));
#pragma GCC unroll 4
        for (int p = 0; p < CODES_NP; p++) sums[t][p] = start;
      }
      // Term by term: engines load all that an iteration needs at its beginning, which fits into 16 registers so.
      VECTOR_LOOP
      for (int i = g * VECTORS; i < (g + 1) * VECTORS; i++) {
#pragma GCC unroll 8
        for (int t = 0; t < MR; t++) {
          const Term x = activationTerm<WIDE>((const int8_t*)rows[t] + s * STEP * ACTIVATION_BYTES, i);
#pragma GCC unroll 4
          for (int p = 0; p < CODES_NP; p++) sums[t][p] = dotTerm<WIDE>(sums[t][p], panel->codes[i][p], x);
        }
      }
#pragma GCC unroll 8
      for (int t = 0; t < MR; t++) {
        const F d = set1(((const float*)(rows[t] + at.scales))[s]);
#pragma GCC unroll 4
        for (int p = 0; p < CODES_NP; p++) {
          results[t][p] = fma(floats(dotTotals(sums[t][p])), panel->scales[g][p] * d, results[t][p]);
          if constexpr (HAS_MIN) {
            const F sum = set1(((const float*)(rows[t] + scaledSumsAt))[s * GROUPS + g]);
            results[t][p] = fma(panel->mins[g][p], sum, results[t][p]);
          }
        }
      }
    }
  }
#pragma GCC unroll 8
  for (int t = 0; t < MR; t++) {
#pragma GCC unroll 4
    for (int p = 0; p < CODES_NP; p++) out[t][p] = results[t][p];
  }
}

// Quantised rows of tokens t .. t + MR times the panel, whose weight rows begin at n.
template <bool WIDE, int GROUPS, bool HAS_MIN, int MR>
static __attribute__((noinline)) void codePanelRows(const TokenRows& y, const char* const* rows, i64 t,
                                                    const PanelStep<WIDE, GROUPS, HAS_MIN>* panel, i64 cols, int offset,
                                                    i64 n, const PackedRange& range, const Epilogue& epilogue) {
  F out[MR][CODES_NP];
  codePanelTile<WIDE, GROUPS, HAS_MIN, MR>(out, panel, cols, rows, offset);
  putTile<MR, CODES_NP>(y, t, out, n, range, epilogue);
}

// As packedBlock.
template <class P, class RowOf>
INLINE void codePanelBlock(const TokenRows& y, RowOf row, i64 t0, i64 t1, const u8* base, i64 firstTile, i64 lastTile,
                           i64 cols, const PackedRange& range, const Epilogue& epilogue, char* scratch) {
  constexpr int offset = DECODED_SIGNED ? 0 : P::OFFSET;
  PanelStepOf<P>* panel = (PanelStepOf<P>*)scratch;
  for (i64 tile = firstTile; tile < lastTile; tile++) {
    for (int part = 0; part < PARTS; part += CODES_NP) {
      decodeCodes<P>(panel, base + tile * P::tileBytes(cols), cols, part);
      for (i64 t = t0; t < t1;) {
        t += withCount<CODES_MR>(t1 - t, [&](auto count) {
          constexpr int MR = decltype(count)::value;
          const char* rows[MR];
          for (int i = 0; i < MR; i++) rows[i] = row(t + i);
          codePanelRows<P::WIDE, P::GROUPS_PER_STEP, P::HAS_MIN, MR>(y, rows, t, panel, cols, offset,
                                                                     tile * TILE_ROWS + part * LANES, range, epilogue);
        });
      }
    }
  }
}

#endif

}  // namespace latentkit::LATENTKIT_ISA
