// The product of many quantised rows with packed tiles on the machine's own tiles (LATENTKIT_TILES): the integers of 16 tokens and 16 weight
// rows at once. Integer sums are exact and groups rise as in product.h, so the bits are the same.
#pragma once
#include "../../simd/simd.h"
#include "../product/token-rows.h"
#include "activations.h"
#include "formats.h"
#include "packed-rows.h"

namespace latentkit::LATENTKIT_ISA {

#ifdef LATENTKIT_TILES

// Tokens that are multiplied at once, and from which on it is done so.
constexpr i64 TILED_TOKENS = 16;

// A step of 16 weight rows: codes less their offset, and scales.
template <int GROUPS, bool HAS_MIN> struct TiledStep {
  Bytes codes[8];
  F scales[GROUPS];
  F mins[HAS_MIN ? GROUPS : 0];
};
template <class P> using TiledStepOf = TiledStep<P::GROUPS_PER_STEP, P::HAS_MIN>;
// The largest there is.
constexpr i64 TILED_STEP_BYTES = sizeof(TiledStep<2, true>);

// Tokens of a pass lie in the second-level cache.
INLINE i64 tokensOfPass(i64 cols) {
  return TILED_TOKENS * max<i64>(1, min<i64>(16, (768 << 10) / quantisedStride(cols) / TILED_TOKENS));
}

INLINE i64 tiledRowsBytes(i64 cols) { return cols / STEP * TILED_STEP_BYTES; }
INLINE size_t tiledBytes(i64 cols) { return (size_t)(tiledRowsBytes(cols) + tokensOfPass(cols) * quantisedStride(cols)); }

template <class P> static __attribute__((noinline)) void packForTiles(TiledStepOf<P>* to, const u8* tile, i64 steps) {
  typename P::Step step(tile, 0);
  const Bytes offset = Bytes{} + (u8)P::OFFSET;
  for (i64 s = 0; s < steps; s++, step.next(), to++) {
#pragma GCC unroll 8
    for (int j = 0; j < 8; j++) to->codes[j] = step.codes(j, 0) - offset;
#pragma GCC unroll 2
    for (int g = 0; g < P::GROUPS_PER_STEP; g++) {
      to->scales[g] = step.scale(g, 0);
      if constexpr (P::HAS_MIN) to->mins[g] = step.min(g, 0);
    }
  }
}

// Quantised rows that are equally far apart.
struct EvenRows {
  const char* at;
  i64 stride;
};

// Those of `count` tokens from t on: as they lie, or copied where they are some of the rows in any order.
template <class RowOf> INLINE EvenRows evenRows(RowOf row, i64 t, i64 count, i64 cols, char* copies) {
  const char* at = row(t);
  const i64 stride = row(t + 1) - at, bytes = quantisedStride(cols);
  bool even = stride > 0;
  for (i64 i = 2; i < count; i++) even &= row(t + i) == at + i * stride;
  if (even) return {at, stride};
  for (i64 i = 0; i < count; i++) copyBytes(copies + i * bytes, row(t + i), bytes);
  return {copies, bytes};
}

template <int GROUPS, bool HAS_MIN>
static __attribute__((noinline)) void tiledSums(F (&out)[TILED_TOKENS][1], const char* tokens, i64 stride,
                                                const TiledStep<GROUPS, HAS_MIN>* rows, i64 cols) {
  const QuantisedLayout at(cols);
  alignas(64) int32_t sums[4][TILED_TOKENS * TILE_ROWS];
  F results[TILED_TOKENS];
#pragma GCC unroll 16
  for (int i = 0; i < TILED_TOKENS; i++) results[i] = F{};
  const i64 groups = cols / STEP * GROUPS;
  const char *scales = tokens + at.scales, *scaledSums = tokens + at.scaledSums[GROUPS - 1];
  constexpr i64 AHEAD = 3;
  const auto multiply = [&](i64 n) {
    integerTile(n % 4, sums[n % 4], (const int8_t*)tokens + n * (STEP / GROUPS), stride, rows[n / GROUPS].codes + n % GROUPS * (8 / GROUPS));
  };
  // While sums are scaled, the next ones are made.
  for (i64 n = 0; n < min(AHEAD, groups); n++) multiply(n);
  for (i64 n = 0; n < groups; n++) {
    if (n + AHEAD < groups) multiply(n + AHEAD);
    const i64 s = n / GROUPS, g = n % GROUPS;
    const float* from = (const float*)sums[n % 4];
    const F scale = rows[s].scales[g];
    [[maybe_unused]] F min = {};
    if constexpr (HAS_MIN) min = rows[s].mins[g];
#pragma GCC unroll 16
    for (int i = 0; i < TILED_TOKENS; i++) {
      results[i] = fma(floats((I)load(from + i * TILE_ROWS)), scale * set1(((const float*)(scales + i * stride))[s]), results[i]);
      if constexpr (HAS_MIN) results[i] = fma(min, set1(((const float*)(scaledSums + i * stride))[n]), results[i]);
    }
  }
#pragma GCC unroll 16
  for (int i = 0; i < TILED_TOKENS; i++) out[i][0] = results[i];
}

// Tokens t0 .. of t1, as many as fill tiles, times the tiles firstTile .. lastTile. Returns the first token that is left.
template <class P, class RowOf>
INLINE i64 tiledBlock(const TokenRows& y, RowOf row, i64 t0, i64 t1, const u8* base, i64 firstTile, i64 lastTile, i64 cols,
                      const PackedRange& range, const Epilogue& epilogue, char* scratch) {
  constexpr int GROUPS = P::GROUPS_PER_STEP;
  const i64 last = t1 - (t1 - t0) % TILED_TOKENS;
  auto* rows = (TiledStepOf<P>*)scratch;
  const TileRegisters registers(STEP / GROUPS);
  for (i64 t = t0; t < last;) {
    const i64 count = min(tokensOfPass(cols), last - t);
    const EvenRows tokens = evenRows(row, t, count, cols, scratch + tiledRowsBytes(cols));
    for (i64 tile = firstTile; tile < lastTile; tile++) {
      packForTiles<P>(rows, base + tile * P::tileBytes(cols), cols / STEP);
      for (i64 i = 0; i < count; i += TILED_TOKENS) {
        F out[TILED_TOKENS][1];
        tiledSums<GROUPS, P::HAS_MIN>(out, tokens.at + i * tokens.stride, tokens.stride, rows, cols);
        putTile<TILED_TOKENS, 1>(y, t + i, out, tile * TILE_ROWS, range, epilogue);
      }
    }
    t += count;
  }
  return last;
}

#endif

}  // namespace latentkit::LATENTKIT_ISA
