// A block of query rows, and what a thread keeps while it runs it against spans of keys.
//
// Keys are taken in spans that lie on a fixed grid of absolute positions. A row's state after a span (largest score M,
// sum L of exponentials, weighted sum O of values) comes from the span's keys alone: all scores, their maximum, the
// exponentials, one product with the values. The states of spans are merged in rising order. So the bits of a row depend
// on its own query and keys alone: not on chunks, batches or threads. Within a span, keys are taken in tiles; those at
// its ends without a key that some row of the block sees are left out, which adds nothing but zeros to what is summed.
#pragma once
#include "../../core/context.h"
#include "../../simd/simd.h"
#include "../cache/slice.h"
#include "../rows/row-types.h"
#include "panels.h"
#include "record.h"
#include "scores.h"
#include "visible.h"

namespace latentkit::LATENTKIT_ISA {

constexpr i64 SPAN = 256;
constexpr i64 SPAN_TILES = SPAN / TILE;
// Query rows (a query position and a head) of a block, at most: many, because all of them share the packed keys and
// values; but no more than a thread can keep in its second-level cache.
constexpr i64 BLOCK_ROWS = 256;
INLINE i64 maxQueryRows(const Attention& a) { return a.V <= 256 ? BLOCK_ROWS : BLOCK_ROWS / 2; }

// Tiles of a span.
typedef Range Tiles;

struct Block {
  const Attention* attention;
  const Sequence* sequence;
  i64 heads, firstHead, rows;
  i64 firstQuery;
  // The state after a span; a row's weighted sum goes where `out` says, `own` is room for all.
  float* max;
  float* sum;
  float* out[BLOCK_ROWS];
  float* own;  // [BLOCK_ROWS, paddedV]
  // The state after all spans so far.
  float* totalMax;
  float* totalSum;
  float* total;   // [BLOCK_ROWS, paddedV]
  float* scores;  // [BLOCK_ROWS, SPAN]; then the exponentials, as words
  float* byKey;   // [TILE, rows of a tile]
  float* queries;
  float* keys;    // [TILE, words of a key]
  float* plain;   // [slices with scales, TILE, numbers]
  float* panels;  // [panels, SPAN words, PANEL_COLUMNS]
  char* zeros;    // a vector, scales included
  i64 words;      // of a key
  KeySet seen[BLOCK_ROWS][SPAN_TILES];
  KeySet any[SPAN_TILES];

  INLINE i64 queryOf(i64 r) const { return firstQuery + r / heads; }
  INLINE i64 headOf(i64 r) const { return firstHead + r % heads; }
  INLINE i64 tokenOf(i64 r) const { return sequence->queryStart + queryOf(r); }
  // Bytes from a row's slice to the vector that a head reads.
  INLINE i64 vectorOf(const SliceRecord& slice, i64 head) const {
    return (head * slice.heads / attention->H) * headBytes(slice);
  }
};

// Divides `memory` into the arrays that a thread needs for blocks; with null it only counts the bytes.
template <class N> static INLINE size_t carveScratch(Block& block, const Attention& a, char* memory) {
  Carver carver = {memory};
  const i64 V = a.paddedV(), rows = maxQueryRows(a);
  i64 widest = a.V;
  block.words = 0;
  for (i64 s = 0; s < a.keysCount; s++) {
    block.words += wordsOf<N>(a.keys[s].width);
    widest = max(widest, a.keys[s].width);
  }
  block.attention = &a;
  block.max = carver.take(rows);
  block.sum = carver.take(rows);
  block.own = carver.take(rows * V);
  block.totalMax = carver.take(rows);
  block.totalSum = carver.take(rows);
  block.total = carver.take(rows * V);
  block.scores = carver.take(rows * SPAN);
  block.byKey = carver.take(TILE * max<i64>(SCORE_TILE_ROWS, LANES));
  block.queries = carver.take(max(roundUp(rows, SCORE_TILE_ROWS), a.H * SCORE_ROWS) * block.words);
  block.keys = carver.take(TILE * block.words);
  block.plain = carver.take(TILE * a.scaledNumbers());
  block.panels = carver.take(SPAN * roundUp(a.V, PANEL_COLUMNS));
  block.zeros = (char*)carver.take(widest + 4);
  if (memory) __builtin_memset(block.zeros, 0, (size_t)(widest + 4) * 4);
  return carver.used;
}

// n numbers as words, in whole vectors.
template <class N, class Row> static INLINE void toWords(float* to, const typename Row::Type* from, i64 n) {
  constexpr i64 NUMBERS = LANES * N::PER_WORD;
  for (i64 c = 0; c < n; c += NUMBERS, to += LANES) store(to, N::template along<Row>(from + c, n - c));
}

// Packs the queries of some rows of the block.
template <class N> static INLINE void packQueryRows(const Block& block, float* to, i64 firstRow, i64 rows) {
  const Attention& a = *block.attention;
  const float* words[SCORE_TILE_ROWS];
  for (i64 first = 0; first < rows; first += SCORE_TILE_ROWS, to += SCORE_TILE_ROWS * block.words) {
    const i64 count = min(SCORE_TILE_ROWS, rows - first);
    for (i64 i = 0; i < count; i++) {
      const i64 r = firstRow + first + i;
      const float* q = a.q + block.tokenOf(r) * a.qT + block.headOf(r) * a.qH;
      float* row = block.keys + i * block.words;
      words[i] = row;
      for (i64 s = 0; s < a.keysCount; s++) {
        toWords<N, RowF32>(row, q, a.keys[s].width);
        q += a.keys[s].width;
        row += wordsOf<N>(a.keys[s].width);
      }
    }
    packQueries(to, words, count, block.words);
  }
}

}  // namespace latentkit::LATENTKIT_ISA
