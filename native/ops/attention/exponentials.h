// Scores of a row become exponentials.
#pragma once
#include "../../simd/simd.h"
#include "block.h"
#include "record.h"
#include "visible.h"

namespace latentkit::LATENTKIT_ISA {

// Copies a row's scores of a tile to the tensor that captures them.
static INLINE void captureScores(const Block& block, i64 r, i64 tile, i64 spanStart) {
  const Attention& a = *block.attention;
  float* to = a.scores + block.headOf(r) * a.scoresH + block.tokenOf(r) * a.scoresT;
  const int32_t* list = a.gather ? chosenKeys(a, *block.sequence, block.queryOf(r)).positions : nullptr;
  eachRun(block.seen[r][tile], [&](i64 lo, i64 hi) {
    for (i64 k = lo; k < hi; k++) {
      const i64 key = spanStart + tile * TILE + k;
      const i64 column = (list ? list[key] : key) - a.scoresStart;
      if (column >= 0 && column < a.scoresWidth) to[column] = block.scores[r * SPAN + tile * TILE + k];
    }
  });
}

// The biases of a row's keys, LANES from `column` on: beyond the columns the nearest one's.
static INLINE F biasesFrom(const float* row, i64 column, i64 width) {
  if (column >= 0 && column + LANES <= width) return load(row + column);
  if (column + LANES <= 1) return set1(row[0]);
  if (column >= width - 1) return set1(row[width - 1]);
  float each[LANES];
  for (i64 i = 0; i < LANES; i++) each[i] = row[min(max<i64>(column + i, 0), width - 1)];
  return load(each);
}

// Scales a row's scores in some tiles of a span and adds what their distance adds. Apart, since few models have it.
static __attribute__((noinline)) void addBiases(const Block& block, i64 r, i64 spanStart, Tiles tiles) {
  const Attention& a = *block.attention;
  const float* bias = a.bias + block.headOf(r) * a.biasWidth;
  const i64 column = spanStart - (block.sequence->position + block.queryOf(r)) - a.biasStart;
  float* scores = block.scores + r * SPAN;
  for (i64 k = tiles.lo * TILE; k < tiles.hi * TILE; k += LANES) {
    store(scores + k, load(scores + k) * a.scale + biasesFrom(bias, column + k, a.biasWidth));
  }
}

// Scales a row's scores in some tiles of a span, replaces them by exponentials and writes its maximum and their sum. Keys
// that are masked, or whose score is -inf, are not seen. NaN passes through the sum.
template <class N> static INLINE void exponentials(Block& block, i64 r, i64 spanStart, Tiles tiles) {
  constexpr int VECTORS = TILE / LANES;
  float* scores = block.scores + r * SPAN;
  const Attention& a = *block.attention;
  if (a.bias) addBiases(block, r, spanStart, tiles);
  const float scale = a.bias ? 1 : a.scale;
  F highest = set1(-INFINITY_F32), lowest = set1(INFINITY_F32);
  for (i64 t = tiles.lo; t < tiles.hi; t++) {
    const KeySet seen = block.seen[r][t];
    float* at = scores + t * TILE;
#pragma GCC unroll 16
    for (int v = 0; v < VECTORS; v++) {
      F s = load(at + v * LANES) * scale;
      if (~seen) s = lanesOf((uint32_t)(seen >> v * LANES)) ? s : set1(-INFINITY_F32);
      highest = vmax(highest, s);
      lowest = vmin(lowest, s);
      store(at + v * LANES, s);
    }
    if (a.scores) captureScores(block, r, t, spanStart);
  }
  const float found = hmax(highest);
  bool any = true;
  if (signBits(lowest == -INFINITY_F32)) {
    any = false;
    for (i64 t = tiles.lo; t < tiles.hi; t++) {
      KeySet seen = 0;
      for (int v = 0; v < VECTORS; v++) {
        seen |= (KeySet)signBits(load(scores + t * TILE + v * LANES) != -INFINITY_F32) << v * LANES;
      }
      block.seen[r][t] = seen;
      any |= seen != 0;
    }
  }
  // Nothing but NaN is found as -inf.
  const float max = !any ? -INFINITY_F32 : found == -INFINITY_F32 ? __builtin_nanf("") : found;
  const i64 n = (tiles.hi - tiles.lo) * TILE;
  scores += tiles.lo * TILE;
  for (i64 k = 0; k < n; k += LANES) store(scores + k, any ? exponentialBelow(load(scores + k) - max) : F{});
  block.max[r] = max;
  block.sum[r] = sum(N::weights(scores, n));
}

}  // namespace latentkit::LATENTKIT_ISA
