// trainingAttention: a tile of queries of one head at a time against tiles of keys, as the backward rule has them (arXiv 2307.08691,
// algorithm 1).
#pragma once
#include "../../core/context.h"
#include "../../core/records.h"
#include "../../core/scalar.h"
#include "../../simd/simd.h"
#include "../cache/slice.h"
#include "../product/block-product.h"
#include "../rows/vectors.h"
#include "training-tiles.h"

namespace latentkit::LATENTKIT_ISA {

// A thread's memory.
struct ForwardTiles {
  // Floats of a row of a key and of a value, in whole vectors.
  i64 width, valueWidth;
  size_t bytes;
  float *keys, *keysAcross, *values;  // [keys, width], across: [width, keys]
  float *queries, *p, *sums;          // [queries, width], [queries, keys], [queries, valueWidth]
  float *max, *sum;                   // of exponentials, of each query

  INLINE ForwardTiles(const TrainingAttentionRecord& a, char* memory)
      : width(roundUp(a.width, LANES)), valueWidth(roundUp(a.V, LANES)) {
    Carver carver = {memory};
    keys = carver.take(TILE_KEYS * width);
    keysAcross = carver.take(KEYS_STRIDE * width);
    values = carver.take(TILE_KEYS * valueWidth);
    queries = carver.take(TILE_QUERIES * width);
    p = carver.take(TILE_QUERIES * KEYS_STRIDE);
    sums = carver.take(TILE_QUERIES * valueWidth);
    max = carver.take(TILE_QUERIES);
    sum = carver.take(TILE_QUERIES);
    bytes = carver.used;
  }
};

static size_t scratchBytes(const TrainingAttentionRecord& a) { return ForwardTiles(a, nullptr).bytes; }

// A row of scores of a tile becomes exp(score - max), 0 for keys that are not seen; `max` and `sum` take them in. Returns what the sums so
// far are to be multiplied with.
static INLINE float exponentialsOf(float* p, Range seen, float scale, float& max, float& sum) {
  const F by = set1(scale), none = set1(-INFINITY_F32);
  const auto scoresAt = [&](i64 k) {
    const F scores = load(p + k) * by;
    return k >= seen.lo && k + LANES <= seen.hi ? scores : lanesOf((uint32_t)keysOf(seen, k)) ? scores : none;
  };
  const i64 first = seen.lo / LANES * LANES;
  F most = none;
  for (i64 k = first; k < seen.hi; k += LANES) {
    const F scores = scoresAt(k);
    store(p + k, scores);
    most = vmax(most, scores);
  }
  const float highest = hmax(most), next = highest > max ? highest : max;
  // NaN is no score that hmax sees, but one that exponentials keep.
  const F less = set1(next == -INFINITY_F32 ? 0 : next);
  F sums = {};
  clearFloats(p, first);
  i64 k = first;
  for (; k < seen.hi; k += LANES) {
    const F share = exponentialBelow(load(p + k) - less);
    store(p + k, share);
    sums += share;
  }
  clearFloats(p + k, TILE_KEYS - k);
  const float kept = max == -INFINITY_F32 ? 0 : exponentialBelow(set1(max) - less)[0];
  sum = sum * kept + latentkit::LATENTKIT_ISA::sum(sums);
  max = next;
  return kept;
}

// Queries q0 .. + rows of a head.
static void attendTile(const TrainingAttentionRecord& a, const ForwardTiles& m, const Sequence& sequence, const Sight& sight, i64 head,
                       i64 q0) {
  const i64 rows = min(TILE_QUERIES, sight.queries - q0), W = m.width, V = m.valueWidth;
  for (i64 i = 0; i < rows; i++) {
    const i64 t = sequence.queryStart + q0 + i;
    copyBytes(m.queries + i * W, a.q + t * a.qT + head * a.qH, (size_t)a.width * 4);
    padRow(m.queries + i * W, a.width, W);
    const float before = a.carry ? a.lse[t * a.H + head] : -INFINITY_F32;
    m.max[i] = before;
    m.sum[i] = before == -INFINITY_F32 ? 0 : 1;
    if (before == -INFINITY_F32) {
      clearFloats(m.sums + i * V, V);
    } else {
      copyBytes(m.sums + i * V, a.out + t * a.outT + head * a.outH, (size_t)a.V * 4);
      padRow(m.sums + i * V, a.V, V);
    }
  }
  const Range all = sight.keysOf(q0, q0 + rows);
  for (i64 k0 = all.lo / TILE_KEYS * TILE_KEYS; k0 < all.hi; k0 += TILE_KEYS) {
    const i64 keys = min(TILE_KEYS, sight.keys - k0);
    const auto seenBy = [&](i64 first, i64 last) { return within(sight.keysOf(q0 + first, q0 + last), k0, keys); };
    packKeys(a, sequence, head, k0, keys, m.keys, W, m.values, V);
    transposeTile(m.keysAcross, m.keys, W);
    scoresOfTile(m.p, rows, m.queries, W, a.width, m.keysAcross, seenBy);
    for (i64 i = 0; i < rows; i++) {
      float* p = m.p + i * KEYS_STRIDE;
      const Range seen = seenBy(i, i + 1);
      if (seen.empty()) {
        clearFloats(p, TILE_KEYS);
        continue;
      }
      const F kept = set1(exponentialsOf(p, seen, a.scale, m.max[i], m.sum[i]));
      for (i64 c = 0; c < V; c += LANES) store(m.sums + i * V + c, load(m.sums + i * V + c) * kept);
    }
    rangedProduct(addedTo(m.sums, V, 1), rows, V, {m.p, KEYS_STRIDE, 1}, {m.values, V}, seenBy);
  }
  for (i64 i = 0; i < rows; i++) {
    const i64 t = sequence.queryStart + q0 + i;
    float* to = a.out + t * a.outT + head * a.outH;
    const F share = set1(m.sum[i] == 0 ? 0 : 1 / m.sum[i]);
    eachVector(a.V, [&](i64 c, int lanes) { storeLanes(to + c, load(m.sums + i * V + c) * share, lanes); });
    a.lse[t * a.H + head] = m.sum[i] == 0 ? -INFINITY_F32 : m.max[i] + (float)log64((double)m.sum[i]);
  }
}

static void trainingAttention(Context& context, const TrainingAttentionRecord& a) {
  const ForwardTiles tiles(a, context.scratch);
  const Sequence sequence(a.sequences, 0);
  const Sight sight(sequence, a.T, sequence.keyCount, a.window);
  const i64 blocks = ceilDiv(sight.queries, TILE_QUERIES);
  context.each(a.H * blocks, 1, [&](i64 unit) {
    // Those that see most keys first.
    attendTile(a, tiles, sequence, sight, unit % a.H, (blocks - 1 - unit / a.H) * TILE_QUERIES);
  });
}

}  // namespace latentkit::LATENTKIT_ISA
