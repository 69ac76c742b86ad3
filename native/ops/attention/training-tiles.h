// What training's attention is made of: tiles of keys and of queries, and products of them that leave out what is not seen.
#pragma once
#include "../../core/records.h"
#include "../../simd/simd.h"
#include "../cache/scaled-vectors.h"
#include "../cache/slice.h"
#include "../product/block-product.h"
#include "../rows/convert.h"
#include "visible.h"

namespace latentkit::LATENTKIT_ISA {

// Of a tile. In memory, rows of a tile's keys are not a power of two apart: read downwards they would meet in the same lines of the cache.
constexpr i64 TILE_KEYS = 128, TILE_QUERIES = 128, KEYS_STRIDE = TILE_KEYS + LANES;

// Which queries and keys, counted from 0, see each other.
struct Sight {
  // Key j is in the place of query j + offset; that and window - 1 queries after it see it.
  i64 queries, keys, offset, window;
  INLINE Sight(i64 queries, i64 keys, i64 offset, i64 most)
      : queries(queries), keys(keys), offset(offset), window(most < 0 ? queries + keys + 1 + (offset < 0 ? -offset : offset) : most) {}
  // Of T rows of queries and S of keys. `most`: keys of a window; negative: none.
  INLINE Sight(const Sequence& sequence, i64 T, i64 S, i64 most)
      : Sight(min(sequence.queryCount, T - sequence.queryStart), min(sequence.keyCount, S), sequence.keyStart - sequence.position, most) {}
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

// Keys k0 .. + count of a head and their values, as tiles of rows of W and V floats, zeros everywhere else.
template <class Record>
static INLINE void packKeys(const Record& a, const Sequence& sequence, i64 head, i64 k0, i64 count, float* keys, i64 W, float* values,
                            i64 V) {
  clearFloats(keys, TILE_KEYS * W);
  clearFloats(values, TILE_KEYS * V);
  for (i64 k = 0; k < count; k++) {
    float* to = keys + k * W;
    for (i64 s = 0; s < a.keysCount; s++) {
      vectorToFloats(to, a.keys[s], sequence, k0 + k, head, a.H);
      to += a.keys[s].width;
    }
    vectorToFloats(values + k * V, a.values, sequence, k0 + k, head, a.H);
  }
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
template <class RangeOf> INLINE void rangedProduct(const Sums& c, i64 rows, i64 width, LeftFactor a, RightFactor b, RangeOf rangeOf) {
  for (i64 r = 0; r < rows; r += PANEL_MR) {
    const i64 count = min<i64>(PANEL_MR, rows - r);
    const Range range = rangeOf(r, r + count);
    if (range.empty()) continue;
    const LeftFactor left = {a.at + r * a.row + range.lo * a.step, a.row, a.step};
    for (i64 col = 0; col < width; col += TILE_COLUMNS) {
      fewRows<AsF32>(c.part(r, col), count, min(TILE_COLUMNS, width - col), left, {b.at + range.lo * b.step + col, b.step},
                     range.hi - range.lo);
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
      fewRows<AsF32>(writtenTo(c + r * KEYS_STRIDE + k, KEYS_STRIDE), count, TILE_COLUMNS, {left + r * stride, stride, 1},
                     {across + k, KEYS_STRIDE}, width);
    }
  }
}

}  // namespace latentkit::LATENTKIT_ISA
