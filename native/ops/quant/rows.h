// Packed weights as f32: single rows, and products across them.
#pragma once
#include "../../simd/simd.h"
#include "../product/register-tiles.h"
#include "formats.h"

namespace latentkit::LATENTKIT_ISA {

// Columns first .. + count of row n times `factor`: exactly the numbers that the file's blocks stand for.
template <class P> static void packedRow(float* to, const u8* base, i64 n, i64 cols, i64 first, i64 count, float factor) {
  const u8* tile = base + n / TILE_ROWS * P::tileBytes(cols);
  const int r = (int)(n % TILE_ROWS), part = r / LANES, lane = r % LANES;
  for (i64 c = first; c < first + count;) {
    const i64 s = c / STEP;
    const typename P::Step step(tile, s);
    F scale[2] = {}, min[2] = {};
    for (int g = 0; g < P::GROUPS_PER_STEP; g++) {
      scale[g] = step.scale(g, part);
      if constexpr (P::HAS_MIN) min[g] = step.min(g, part);
    }
    Bytes codes[8];
#pragma GCC unroll 8
    for (int j = 0; j < 8; j++) codes[j] = step.codes(j, part);
    const u8* bytes = (const u8*)codes;
    for (; c < first + count && c / STEP == s; c++) {
      const int i = (int)(c % STEP), g = i / P::GROUP;
      const int code = bytes[i / 4 * LANES * 4 + lane * 4 + i % 4] - P::OFFSET;
      float value = scale[g][lane] * (float)code;
      if (P::HAS_MIN) value += min[g][lane];
      *to++ = factor == 1 ? value : value * factor;
    }
  }
}

// y[t][c] = sum over rows n of x[t][n] w[n][c], for the 32 columns of step s: x times scale goes in as f32, the codes are
// converted to f32 four columns at a time, lanes are rows. Per column a lane's sum rises over the tiles; lanes are added at
// the end, so that a number does not depend on how many tokens there are.
template <class P, int MR>
static __attribute__((noinline)) void packedAcross(float* const* y, const float* const* x, const u8* base, i64 cols,
                                                   i64 s, i64 firstRow, i64 rows, float* scratch) {
  const i64 firstTile = firstRow / TILE_ROWS, lastTile = ceilDiv(firstRow + rows, TILE_ROWS);
  constexpr int G = P::GROUPS_PER_STEP;
  const i64 bytes = P::tileBytes(cols);
  F mins[MR][G];
  clear(mins);
  // scaled[tile][part][g][t]: x times d.
  float* scaled = scratch;
  for (i64 tile = firstTile; tile < lastTile; tile++) {
    const typename P::Step step(base + tile * bytes, s);
    for (int part = 0; part < PARTS; part++) {
      const i64 row = tile * TILE_ROWS + part * LANES - firstRow;
      for (int g = 0; g < G; g++) {
        const F scale = step.scale(g, part);
        F min = {};
        if constexpr (P::HAS_MIN) min = step.min(g, part);
        for (int t = 0; t < MR; t++) {
          F from = {};
          if (row >= 0 && row + LANES <= rows) from = load(x[t] + row);
          else {
            for (int l = 0; l < LANES; l++) {
              if (row + l >= 0 && row + l < rows) from[l] = x[t][row + l];
            }
          }
          store(scaled, from * scale);
          scaled += LANES;
          if constexpr (P::HAS_MIN) mins[t][g] = fma(from, min, mins[t][g]);
        }
      }
    }
  }
#pragma GCC unroll 8
  for (int j = 0; j < 8; j++) {
    const int g = j / (8 / G);
    F sums[MR][4];
    clear(sums);
    scaled = scratch + g * MR * LANES;
    for (i64 tile = firstTile; tile < lastTile; tile++) {
      const typename P::Step step(base + tile * bytes, s);
      for (int part = 0; part < PARTS; part++) {
        const U codes = (U)step.codes(j, part);
        F w[4];
#pragma GCC unroll 4
        for (int i = 0; i < 4; i++) w[i] = floats((I)((codes >> (8 * i)) & 255) - P::OFFSET);
#pragma GCC unroll 4
        for (int t = 0; t < MR; t++) {
          const F xs = load(scaled + t * LANES);
#pragma GCC unroll 4
          for (int i = 0; i < 4; i++) sums[t][i] = fma(w[i], xs, sums[t][i]);
        }
        scaled += G * MR * LANES;
      }
    }
    for (int t = 0; t < MR; t++) {
      float four[4];
      laneSums(four, sums[t]);
      const float min = P::HAS_MIN ? sum(mins[t][g]) : 0;
      for (int i = 0; i < 4; i++) y[t][s * STEP + 4 * j + i] = P::HAS_MIN ? four[i] + min : four[i];
    }
  }
}

constexpr int ACROSS_MR = LANES == 16 ? 4 : 2;

INLINE size_t packedAcrossScratch(i64 rows) {
  return (size_t)((rows / TILE_ROWS + 2) * TILE_ROWS * 2 * ACROSS_MR) * 4;
}

}  // namespace latentkit::LATENTKIT_ISA
