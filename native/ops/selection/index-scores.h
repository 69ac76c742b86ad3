// indexScores: what a sparse indexer gives each key: a weighted sum over its heads of products above 0.
#pragma once
#include "../../core/context.h"
#include "../../core/records.h"
#include "../../simd/simd.h"
#include "../attention/numbers.h"
#include "../attention/panels.h"
#include "../cache/scaled-vectors.h"
#include "../cache/slice.h"
#include "../rows/convert.h"

namespace latentkit::LATENTKIT_ISA {

// Panels of keys that a thread takes at a time.
constexpr i64 INDEX_PANELS = 4;

// Floats of a thread: a panel of keys by column, the products of all heads with it, vectors of LANES keys as they come.
static size_t scratchBytes(const IndexScoresRecord& r) {
  const i64 width = roundUp(r.keys.width, LANES);
  return (size_t)((width + r.H) * PANEL_COLUMNS + LANES * width) * 4 + 64;
}

// Keys first .. + count of a sequence (from its first one), transposed: [width, PANEL_COLUMNS]. What is behind them is 0.
static INLINE void packIndexKeys(float* panel, float* rows, const SliceRecord& keys, const Sequence& sequence, i64 first, i64 count) {
  const i64 width = keys.width, stride = roundUp(width, LANES);
  for (i64 k = 0; k < PANEL_COLUMNS; k += LANES) {
    for (i64 i = 0; i < LANES; i++) {
      float* to = rows + i * stride;
      for (i64 c = 0; c < stride; c += LANES) store(to + c, F{});
      if (k + i >= count) continue;
      const char* from = rowOf(keys, sequence, sequence.keyStart + first + k + i);
      if (isScaled(keys.dtype)) scaledToFloats(to, from, keys.dtype, width);
      else convertRow((char*)to, F32, from, keys.dtype, width);
    }
    for (i64 c = 0; c < width; c += LANES) {
      F square[LANES];
      for (i64 i = 0; i < LANES; i++) square[i] = load(rows + i * stride + c);
      transpose(square);
      for (i64 i = 0; i < min<i64>(LANES, width - c); i++) store(panel + (c + i) * PANEL_COLUMNS + k, square[i]);
    }
  }
}

// A score is a chain over the heads, rising, of chains over the numbers of a key, rising: the same whoever computes it.
static INLINE void indexPanel(float* to, i64 count, const float* q, i64 qH, const float* weights, float* products, const float* panel,
                              const IndexScoresRecord& r) {
  panelProduct<AsF32>([&](i64 h) { return products + h * PANEL_COLUMNS; }, [&](i64 h) { return q + h * qH; }, r.H, panel,
                      r.keys.width, PANEL_COLUMNS, [] {});
  for (i64 k = 0; k < count; k += LANES) {
    F total = {};
    for (i64 h = 0; h < r.H; h++) {
      const F product = load(products + h * PANEL_COLUMNS + k);
      total = fma(set1(weights[h]), product < 0.0f ? F{} : product, total);
    }
    storePart(to + k, total * r.scale, (int)min<i64>(LANES, count - k));
  }
}

static void indexScores(Context& context, const IndexScoresRecord& r) {
  const i64 width = roundUp(r.keys.width, LANES), each = INDEX_PANELS * PANEL_COLUMNS;
  float* panel = (float*)context.scratch;
  float* products = panel + width * PANEL_COLUMNS;
  float* rows = products + r.H * PANEL_COLUMNS;
  const auto unitsOf = [&](i64 b) { return ceilDiv(min(r.width, Sequence(r.sequences, b).keyCount), each); };
  i64 total = 0, begin, end, b = 0, before = 0;
  for (i64 i = 0; i < r.sequences.count; i++) total += unitsOf(i);
  while (context.claim(total, 1, begin, end)) {
    while (begin >= before + unitsOf(b)) before += unitsOf(b++);
    const Sequence sequence(r.sequences, b);
    const i64 keys = min(r.width, sequence.keyCount), first = (begin - before) * each, last = min(keys, first + each);
    // Those behind the query's own are not seen.
    const i64 seen = max(first, min(last, sequence.position + 1 - sequence.keyStart));
    float* scores = r.scores + b * r.scoresB;
    const float* q = r.q + sequence.queryStart * r.qT;
    for (i64 k = first; k < seen; k += PANEL_COLUMNS) {
      const i64 count = min(PANEL_COLUMNS, seen - k);
      packIndexKeys(panel, rows, r.keys, sequence, k, count);
      indexPanel(scores + k, count, q, r.qH, r.weights + sequence.queryStart * r.weightsT, products, panel, r);
    }
    for (i64 k = seen; k < last; k++) scores[k] = -INFINITY_F32;
  }
}

}  // namespace latentkit::LATENTKIT_ISA
