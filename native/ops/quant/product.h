// The product of quantised rows with packed tiles. Per group of columns the codes are multiplied and summed as integers,
// exactly; the group's sum times both scales is added to the result in f32, groups rising. So a number of the result
// depends on its two rows only, never on the tile of the product it is computed in.
#pragma once
#include "../../simd/simd.h"
#include "../product/epilogue.h"
#include "../product/register-tiles.h"
#include "../product/token-rows.h"
#include "../product/work-split.h"
#include "../rows/matrix.h"
#include "activations.h"
#include "code-panels.h"
#include "formats.h"
#include "packed-rows.h"
#include "tiled-product.h"

namespace latentkit::LATENTKIT_ISA {

// out[t][p]: MR quantised rows times NP vectors of the tile's 16 rows, from `part` on.
template <class P, int MR, int NP>
INLINE void packedTile(F (&out)[MR][NP], const u8* tile, i64 cols, const char* const* rows, int part) {
  constexpr int G = P::GROUPS_PER_STEP, GROUP_VECTORS = 8 / G;
  // Integer sums wait for one another: few of them are each divided into several.
  constexpr int CHAINS = MR * NP >= 4 ? 1 : MR * NP == 2 ? 2 : 4;
  constexpr int OFFSET = P::WIDE && WIDE_OFFSET == 0 ? 0 : P::OFFSET;
  const i64 steps = cols / STEP;
  const QuantisedLayout at(cols);
  const i64 scaledSumsAt = at.scaledSums[G - 1];
  // Apart from `out`, which lies in memory: the compiler would write it at every step.
  F results[MR][NP];
  clear(results);
  typename P::Step step(tile, 0);
  for (i64 s = 0; s < steps; s++, step.next()) {
    // The products of several rows with a step fill the processor's window: it does not reach the next loads by itself.
    // With less to do it does, and reads faster without a prefetch.
    if constexpr (MR > 1 && MR * PARTS > 2) step.fetchAhead();
#pragma GCC unroll 2
    for (int g = 0; g < G; g++) {
      Dots sums[MR][NP][CHAINS];
#pragma GCC unroll 8
      for (int t = 0; t < MR; t++) {
#pragma GCC unroll 4
        for (int p = 0; p < NP; p++) {
          sums[t][p][0] = dots(startOf<P::WIDE, G>(rows[t], at, s * G + g, OFFSET));
#pragma GCC unroll 4
          for (int c = 1; c < CHAINS; c++) sums[t][p][c] = dots(0);
        }
      }
      // Nibbles: vectors whose codes are found by the same shift are one loop, where it stays a loop.
      constexpr int VECTORS = P::LOW == 4 ? 4 : GROUP_VECTORS;
#pragma GCC unroll 2
      for (int first = g * GROUP_VECTORS; first < (g + 1) * GROUP_VECTORS; first += VECTORS) {
        VECTOR_LOOP
        for (int i = 0; i < VECTORS; i++) {
          const int j = first + (i & (VECTORS - 1));
          Bytes w[NP];
#pragma GCC unroll 4
          for (int p = 0; p < NP; p++) w[p] = step.codes(j, part + p);
#pragma GCC unroll 8
          for (int t = 0; t < MR; t++) {
            const Four x = spread<P::WIDE>((const int8_t*)rows[t] + s * STEP * ACTIVATION_BYTES, j);
#pragma GCC unroll 4
            for (int p = 0; p < NP; p++) {
              Dots& sum = sums[t][p][i % CHAINS];
              sum = dot4<P::WIDE>(sum, w[p], x);
            }
          }
        }
      }
#pragma GCC unroll 4
      for (int p = 0; p < NP; p++) {
        const F scale = step.scale(g, part + p);
        F min = {};
        if constexpr (P::HAS_MIN) min = step.min(g, part + p);
#pragma GCC unroll 8
        for (int t = 0; t < MR; t++) {
          const F d = set1(((const float*)(rows[t] + at.scales))[s]);
          I sum = dotTotals(sums[t][p][0]);
#pragma GCC unroll 4
          for (int c = 1; c < CHAINS; c++) sum += dotTotals(sums[t][p][c]);
          results[t][p] = fma(floats(sum), scale * d, results[t][p]);
          if constexpr (P::HAS_MIN) {
            results[t][p] = fma(min, set1(((const float*)(rows[t] + scaledSumsAt))[s * G + g]), results[t][p]);
          }
        }
      }
    }
  }
#pragma GCC unroll 8
  for (int t = 0; t < MR; t++) {
#pragma GCC unroll 4
    for (int p = 0; p < NP; p++) out[t][p] = results[t][p];
  }
}

template <class P, int MR, int NP>
static __attribute__((noinline)) void packedRows(const TokenRows& y, const char* const* rows, i64 t, const u8* base,
                                                 i64 tile, i64 cols, const PackedRange& range, const Epilogue& epilogue) {
  const u8* at = base + tile * P::tileBytes(cols);
#pragma GCC unroll 1
  for (int part = 0; part < PARTS; part += NP) {
    F out[MR][NP];
    packedTile<P, MR, NP>(out, at, cols, rows, part);
    putTile<MR, NP>(y, t, out, tile * TILE_ROWS + part * LANES, range, epilogue);
  }
}

// Quantised rows of tokens t0 .. t1, of which row(t) is one, times the tiles firstTile .. lastTile.
template <class P, class RowOf>
INLINE void packedBlock(const TokenRows& y, RowOf row, i64 t0, i64 t1, const u8* base, i64 firstTile, i64 lastTile,
                        i64 cols, const PackedRange& range, const Epilogue& epilogue, [[maybe_unused]] char* scratch) {
#ifdef LATENTKIT_CODE_PANELS
  if (t1 - t0 >= CODES_TOKENS) {
    return codePanelBlock<P>(y, row, t0, t1, base, firstTile, lastTile, cols, range, epilogue, scratch);
  }
#endif
#ifdef LATENTKIT_TILES
  if (t1 - t0 >= TILED_TOKENS) {
    t0 = tiledBlock<P>(y, row, t0, t1, base, firstTile, lastTile, cols, range, epilogue, scratch);
  }
#endif
  for (i64 t = t0; t < t1;) {
    t += withCount<PACKED_MR>(t1 - t, [&](auto count) {
      constexpr int MR = decltype(count)::value, NP = MR == 1 ? PACKED_ONE : PACKED_NP;
      const char* rows[MR];
      for (int i = 0; i < MR; i++) rows[i] = row(t + i);
      for (i64 tile = firstTile; tile < lastTile; tile++) packedRows<P, MR, NP>(y, rows, t, base, tile, cols, range, epilogue);
    });
  }
}

// So few tokens take less time than reading the weights.
constexpr i64 FEW_TOKENS = 8;

// Scratch of a thread.
INLINE size_t packedScratch([[maybe_unused]] i64 cols) {
#ifdef LATENTKIT_CODE_PANELS
  return codePanelBytes(cols);
#elif defined(LATENTKIT_TILES)
  return tiledBytes(cols);
#else
  return 0;
#endif
}

// How a product of T tokens with so many tiles, one of `products` alike, is split into units that threads take.
struct PackedWorkSplit {
  i64 tilesEach, tileBlocks, tokensEach, tokenBlocks;
  INLINE PackedWorkSplit(i64 T, i64 tiles, i64 tileBytes, i64 products = 1) {
    // A unit's tiles fit a part of the second-level cache with the tokens beside them; for a few tokens a unit is short,
    // because its time is that of reading it.
    const i64 wanted = T <= FEW_TOKENS ? 16 * 1024 : 192 * 1024;
    tilesEach = max<i64>(1, min(min(wanted / tileBytes, tiles), ceilDiv(tiles * products, 16)));
    tileBlocks = ceilDiv(tiles, tilesEach);
    tokensEach = max<i64>(1, T <= FEW_TOKENS || tileBlocks * products >= 16 ? T : TOKEN_BLOCK);
    tokenBlocks = ceilDiv(T, tokensEach);
  }
  INLINE i64 units() const { return tileBlocks * tokenBlocks; }
};

// Rows w first .. last times tokens: unit `unit` of the split.
template <class RowOf>
INLINE void packedUnit(const TokenRows& y, RowOf row, i64 T, const Matrix& w, const PackedRange& range,
                       const PackedWorkSplit& split, i64 unit, const Epilogue& epilogue, char* scratch) {
  const i64 firstTile = range.first / TILE_ROWS, lastTile = ceilDiv(range.last, TILE_ROWS);
  const i64 tile = firstTile + unit / split.tokenBlocks * split.tilesEach, t = unit % split.tokenBlocks * split.tokensEach;
  withFormat(w.dtype, [&](auto format) {
    packedBlock<decltype(format)>(y, row, t, min(T, t + split.tokensEach), (const u8*)w.address, tile,
                                  min(lastTile, tile + split.tilesEach), w.cols, range, epilogue, scratch);
  });
}

}  // namespace latentkit::LATENTKIT_ISA
