// attentionBackward: a query head at a time, whose keys are taken in tiles, and for each tile the queries that see some of it. Scores
// are computed again, tile by tile (arXiv 2205.14135, algorithm 4), and never kept.
#pragma once
#include "../../core/context.h"
#include "../../core/records.h"
#include "../../simd/simd.h"
#include "../cache/scaled-vectors.h"
#include "../cache/slice.h"
#include "../product/block-product.h"
#include "../rows/convert.h"
#include "../rows/vectors.h"
#include "visible.h"

namespace latentkit::LATENTKIT_ISA {

// Of a tile. In memory, rows of a tile's keys are not a power of two apart: read downwards they would meet in the same lines of the cache.
constexpr i64 TILE_KEYS = 128, TILE_QUERIES = 128, KEYS_STRIDE = TILE_KEYS + LANES;

// A thread's memory: rows of a tile of keys and of a tile of queries, zeros behind their numbers.
struct BackwardTiles {
  // Floats of a row of a key and of a value, in whole vectors.
  i64 width, valueWidth;
  size_t bytes = 0;
  float *keys, *keysAcross, *values, *valuesAcross, *dkeys, *dvalues;  // [keys, width], across: [width, keys]
  float *queries, *douts;
  float* deltas;  // of all queries: dout . out
  float *p, *ds;  // [queries, keys]: probabilities, and the gradient of scores

  INLINE BackwardTiles(const AttentionBackwardRecord& a, char* memory)
      : width(roundUp(a.width, LANES)), valueWidth(roundUp(a.V, LANES)) {
    const auto take = [&](i64 floats) {
      float* at = (float*)(memory + bytes);
      bytes += (size_t)roundUp(floats * 4, 64);
      return at;
    };
    keys = take(TILE_KEYS * width);
    keysAcross = take(KEYS_STRIDE * width);
    dkeys = take(TILE_KEYS * width);
    values = take(TILE_KEYS * valueWidth);
    valuesAcross = take(KEYS_STRIDE * valueWidth);
    dvalues = take(TILE_KEYS * valueWidth);
    queries = take(TILE_QUERIES * width);
    douts = take(TILE_QUERIES * valueWidth);
    deltas = take(a.T);
    p = take(TILE_QUERIES * KEYS_STRIDE);
    ds = take(TILE_QUERIES * KEYS_STRIDE);
  }
};

static size_t scratchBytes(const AttentionBackwardRecord& a) { return BackwardTiles(a, nullptr).bytes; }

// Which queries and keys, counted from 0, see each other.
struct Sight {
  // Key j is in the place of query j + offset; that and window - 1 queries after it see it.
  i64 queries, keys, offset, window;
  INLINE Sight(const AttentionBackwardRecord& a, const Sequence& sequence)
      : queries(min(sequence.queryCount, a.T - sequence.queryStart)),
        keys(min(sequence.keyCount, a.S)),
        offset(sequence.keyStart - sequence.position),
        window(a.window < 0 ? queries + keys + 1 + (offset < 0 ? -offset : offset) : a.window) {}
  // Of queries first .. last - 1, the keys that any sees; of keys the queries.
  INLINE Range keysOf(i64 first, i64 last) const {
    return {max<i64>(0, first - offset - window + 1), min(keys, last - offset)};
  }
  INLINE Range queriesOf(i64 first, i64 last) const {
    return {max<i64>(0, first + offset), min(queries, last + offset + window - 1)};
  }
};

// The part of a range within `count` from `start` on, counted from there.
INLINE Range within(Range range, i64 start, i64 count) {
  return {max<i64>(0, range.lo - start), min(count, range.hi - start)};
}

// Zeros behind the numbers of a row.
static INLINE void padRow(float* to, i64 numbers, i64 width) {
  for (i64 i = numbers; i < width; i++) to[i] = 0;
}
static INLINE void clearFloats(float* to, i64 n) { __builtin_memset(to, 0, (size_t)n * 4); }

// A head's vector of a slice as f32.
static INLINE void vectorToFloats(float* to, const SliceRecord& slice, const Sequence& sequence, i64 key, i64 head, i64 heads) {
  const char* from = rowOf(slice, sequence, sequence.keyStart + key) + head * slice.heads / heads * headBytes(slice);
  if (isScaled(slice.dtype)) scaledToFloats(to, from, slice.dtype, slice.width);
  else convertRow((char*)to, F32, from, slice.dtype, slice.width);
}

// Rows of `width` floats, a tile of them, as columns of keys.
static INLINE void transposeTile(float* to, const float* from, i64 width) {
  for (i64 k = 0; k < TILE_KEYS; k += LANES) {
    for (i64 c = 0; c < width; c += LANES) {
      F x[LANES];
#pragma GCC unroll 16
      for (int i = 0; i < LANES; i++) x[i] = load(from + (k + i) * width + c);
      transpose(x);
#pragma GCC unroll 16
      for (int i = 0; i < LANES; i++) store(to + (c + i) * KEYS_STRIDE + k, x[i]);
    }
  }
}

// c[r, :] += or = sums over `range(r, r + count)` of a's steps, for `rows` rows and `width` columns, tile by tile.
template <class RangeOf> INLINE void rangedProduct(Sums c, i64 rows, i64 width, LeftFactor a, RightFactor b, RangeOf rangeOf) {
  for (i64 r = 0; r < rows; r += PANEL_MR) {
    const i64 count = min<i64>(PANEL_MR, rows - r);
    const Range range = rangeOf(r, r + count);
    if (range.empty()) continue;
    const LeftFactor left = {a.at + r * a.row + range.lo * a.step, a.row, a.step};
    for (i64 col = 0; col < width; col += TILE_COLUMNS) {
      fewRows({c.at + r * c.row + col, c.row, c.scale, c.add}, count, min(TILE_COLUMNS, width - col), left,
              {b.at + range.lo * b.step + col, b.step}, range.hi - range.lo);
    }
  }
}

// Products of rows, `stride` apart, with the keys of the tile that some of them sees: c[r, keys].
template <class KeysOf>
INLINE void scoresOfTile(float* c, i64 rows, const float* left, i64 stride, i64 width, const float* across, KeysOf keysOf) {
  for (i64 r = 0; r < rows; r += PANEL_MR) {
    const i64 count = min<i64>(PANEL_MR, rows - r);
    const Range seen = keysOf(r, r + count);
    for (i64 k = seen.lo / TILE_COLUMNS * TILE_COLUMNS; k < seen.hi; k += TILE_COLUMNS) {
      fewRows({c + r * KEYS_STRIDE + k, KEYS_STRIDE, 1, false}, count, TILE_COLUMNS, {left + r * stride, stride, 1},
              {across + k, KEYS_STRIDE}, width);
    }
  }
}

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
  rangedProduct({m.dvalues, V, 1, true}, keys, V, {m.p, 1, KEYS_STRIDE}, {m.douts, V}, queriesOf);
  rangedProduct({m.dkeys, W, 1, true}, keys, W, {m.ds, 1, KEYS_STRIDE}, {m.queries, W}, queriesOf);
  float* dq = a.dq + (queryStart + q0) * a.dqT + head * a.dqH;
  rangedProduct({dq, a.dqT, 1, true}, rows, a.width, {m.ds, KEYS_STRIDE, 1}, {m.keys, W}, keysOf);
}

static void backwardHead(const AttentionBackwardRecord& a, const BackwardTiles& m, const Sequence& sequence, i64 head) {
  const Sight sight(a, sequence);
  const i64 W = m.width, V = m.valueWidth;
  for (i64 t = sequence.queryStart; t < sequence.queryStart + sight.queries; t++) {
    m.deltas[t] = dotOf(a.dout + t * a.doutT + head * a.doutH, a.out + t * a.outT + head * a.outH, a.V);
  }
  for (i64 k0 = 0; k0 < sight.keys; k0 += TILE_KEYS) {
    const i64 keys = min(TILE_KEYS, sight.keys - k0);
    clearFloats(m.keys, TILE_KEYS * W);
    clearFloats(m.values, TILE_KEYS * V);
    for (i64 k = 0; k < keys; k++) {
      float* to = m.keys + k * W;
      for (i64 s = 0; s < a.keysCount; s++) {
        vectorToFloats(to, a.keys[s], sequence, k0 + k, head, a.H);
        to += a.keys[s].width;
      }
      vectorToFloats(m.values + k * V, a.values, sequence, k0 + k, head, a.H);
    }
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
  i64 begin, end;
  while (context.claim(a.H, 1, begin, end)) backwardHead(a, tiles, Sequence(a.sequences, 0), begin);
}

}  // namespace latentkit::LATENTKIT_ISA
