// attentionBackward: a query head at a time, whose keys are taken in tiles, and for each tile the queries that see some of it. Scores
// are computed again, tile by tile (arXiv 2205.14135, algorithm 4), and never kept.
#pragma once
#include "../../core/context.h"
#include "../../core/records.h"
#include "../../simd/simd.h"
#include "../cache/slice.h"
#include "../product/block-product.h"
#include "../rows/vectors.h"
#include "training-tiles.h"

namespace latentkit::LATENTKIT_ISA {

// A thread's memory: rows of a tile of keys and of a tile of queries, zeros behind their numbers.
struct BackwardTiles {
  // Floats of a row of a key and of a value, in whole vectors.
  i64 width, valueWidth;
  size_t bytes;
  float *keys, *keysAcross, *values, *valuesAcross, *dkeys, *dvalues;  // [keys, width], across: [width, keys]
  float *queries, *douts;
  float* deltas;  // of all queries: dout . out
  float *p, *ds;  // [queries, keys]: probabilities, and the gradient of scores

  INLINE BackwardTiles(const AttentionBackwardRecord& a, char* memory)
      : width(roundUp(a.width, LANES)), valueWidth(roundUp(a.V, LANES)) {
    Carver carver = {memory};
    keys = carver.take(TILE_KEYS * width);
    keysAcross = carver.take(KEYS_STRIDE * width);
    dkeys = carver.take(TILE_KEYS * width);
    values = carver.take(TILE_KEYS * valueWidth);
    valuesAcross = carver.take(KEYS_STRIDE * valueWidth);
    dvalues = carver.take(TILE_KEYS * valueWidth);
    queries = carver.take(TILE_QUERIES * width);
    douts = carver.take(TILE_QUERIES * valueWidth);
    deltas = carver.take(a.T);
    p = carver.take(TILE_QUERIES * KEYS_STRIDE);
    ds = carver.take(TILE_QUERIES * KEYS_STRIDE);
    bytes = carver.used;
  }
};

static size_t scratchBytes(const AttentionBackwardRecord& a) { return BackwardTiles(a, nullptr).bytes; }

static INLINE float dotOf(const float* a, const float* b, i64 n) {
  F sums = {};
  eachVector(n, [&](i64 i, int lanes) { sums = fma(loadLanes(a + i, lanes), loadLanes(b + i, lanes), sums); });
  return sum(sums);
}

// A row of scores becomes probabilities, and beside them dP the gradients of scores; 0 for keys that are not seen.
static INLINE void probabilitiesOf(float* p, float* ds, Range seen, float scale, float lse, float delta) {
  const F by = set1(scale), less = set1(-lse), middle = set1(delta);
  for (i64 k = 0; k < TILE_KEYS; k += LANES) {
    if (k + LANES <= seen.lo || k >= seen.hi) {
      store(p + k, F{});
      store(ds + k, F{});
      continue;
    }
    F share = exponentialBelow(fma(load(p + k), by, less));
    F slope = by * share * (load(ds + k) - middle);
    if (k < seen.lo || k + LANES > seen.hi) {
      const I seenLanes = lanesOf((uint32_t)keysOf(seen, k));
      share = seenLanes ? share : F{};
      slope = seenLanes ? slope : F{};
    }
    store(p + k, share);
    store(ds + k, slope);
  }
}

// A tile of queries against the tile of keys whose vectors lie in `m`.
static void backwardTile(const AttentionBackwardRecord& a, const BackwardTiles& m, const Sight& sight, i64 queryStart, i64 head,
                         i64 q0, i64 k0, i64 keys) {
  const i64 rows = min(TILE_QUERIES, sight.queries - q0), W = m.width, V = m.valueWidth;
  for (i64 i = 0; i < rows; i++) {
    const i64 t = queryStart + q0 + i;
    copyBytes(m.queries + i * W, a.q + t * a.qT + head * a.qH, (size_t)a.width * 4);
    padRow(m.queries + i * W, a.width, W);
    copyBytes(m.douts + i * V, a.dout + t * a.doutT + head * a.doutH, (size_t)a.V * 4);
    padRow(m.douts + i * V, a.V, V);
  }
  const auto keysOf = [&](i64 first, i64 last) { return within(sight.keysOf(q0 + first, q0 + last), k0, keys); };
  const auto queriesOf = [&](i64 first, i64 last) { return within(sight.queriesOf(k0 + first, k0 + last), q0, rows); };
  scoresOfTile(m.p, rows, m.queries, W, a.width, m.keysAcross, keysOf);
  scoresOfTile(m.ds, rows, m.douts, V, a.V, m.valuesAcross, keysOf);
  for (i64 i = 0; i < rows; i++) {
    const i64 t = queryStart + q0 + i;
    probabilitiesOf(m.p + i * KEYS_STRIDE, m.ds + i * KEYS_STRIDE, keysOf(i, i + 1), a.scale, a.lse[t * a.H + head], m.deltas[t]);
  }
  rangedProduct(addedTo(m.dvalues, V, 1), keys, V, {m.p, 1, KEYS_STRIDE}, {m.douts, V}, queriesOf);
  rangedProduct(addedTo(m.dkeys, W, 1), keys, W, {m.ds, 1, KEYS_STRIDE}, {m.queries, W}, queriesOf);
  float* dq = a.dq + (queryStart + q0) * a.dqT + head * a.dqH;
  rangedProduct(addedTo(dq, a.dqT, 1), rows, a.width, {m.ds, KEYS_STRIDE, 1}, {m.keys, W}, keysOf);
}

static void backwardHead(const AttentionBackwardRecord& a, const BackwardTiles& m, const Sequence& sequence, i64 head) {
  const Sight sight(sequence, a.T, a.S, a.window);
  const i64 W = m.width, V = m.valueWidth;
  for (i64 t = sequence.queryStart; t < sequence.queryStart + sight.queries; t++) {
    m.deltas[t] = dotOf(a.dout + t * a.doutT + head * a.doutH, a.out + t * a.outT + head * a.outH, a.V);
  }
  for (i64 k0 = 0; k0 < sight.keys; k0 += TILE_KEYS) {
    const i64 keys = min(TILE_KEYS, sight.keys - k0);
    packKeys(a, sequence, head, k0, keys, m.keys, W, m.values, V);
    transposeTile(m.keysAcross, m.keys, W);
    transposeTile(m.valuesAcross, m.values, V);
    clearFloats(m.dkeys, TILE_KEYS * W);
    clearFloats(m.dvalues, TILE_KEYS * V);
    const Range queries = sight.queriesOf(k0, k0 + keys);
    for (i64 q0 = queries.lo / TILE_QUERIES * TILE_QUERIES; q0 < queries.hi; q0 += TILE_QUERIES) {
      backwardTile(a, m, sight, sequence.queryStart, head, q0, k0, keys);
    }
    for (i64 k = 0; k < keys; k++) {
      copyBytes(a.dkeys + ((k0 + k) * a.H + head) * a.width, m.dkeys + k * W, (size_t)a.width * 4);
      copyBytes(a.dvalues + ((k0 + k) * a.H + head) * a.V, m.dvalues + k * V, (size_t)a.V * 4);
    }
  }
}

static void attentionBackward(Context& context, const AttentionBackwardRecord& a) {
  const BackwardTiles tiles(a, context.scratch);
  context.each(a.H, 1, [&](i64 head) { backwardHead(a, tiles, Sequence(a.sequences, 0), head); });
}

}  // namespace latentkit::LATENTKIT_ISA
