// Decoding: attention of single queries, MLA's among them. Each key is read by a few rows only (a query's heads), so memory
// is the limit: a unit takes all heads of a query at once and reads the cache in order, without packing keys or values. Each
// load prefetches the corresponding line of what is read next, one for one: a core tracks about 20 outstanding misses and
// drops prefetches beyond that. Numbers are added in the same order as for prompts (../prefill/span.h).
#pragma once
#include "../../../simd/simd.h"
#include "../../cache/slice.h"
#include "../../rows/row-types.h"
#include "../block.h"
#include "../exponentials.h"
#include "../keys.h"
#include "../panels.h"
#include "../record.h"
#include "../scores.h"
#include "../visible.h"

namespace latentkit::LATENTKIT_ISA {

// Heads that share keys and values and are multiplied together, at most.
constexpr i64 DECODE_ROWS = 16;
// Sums of a register tile of values.
constexpr int DECODE_SUMS = PANEL_MR * PANEL_NV;
// Where registers hold few rows, converting a value to f32 again for each group of rows costs more than multiplying it.
constexpr bool VALUES_CONVERTED_ONCE = 4 * PANEL_MR <= DECODE_ROWS;

// Heads of the block from row `row` on that read the same vectors.
static INLINE i64 sharingRows(const Block& block, i64 row) {
  i64 count = 1;
  while (count < DECODE_ROWS && row + count < block.rows && readsAlike(*block.attention, block.headOf(row + count))) count++;
  return count;
}

// Calls `call(row, count, queries)` for each group of rows that read the same vectors.
template <class Call> static INLINE void eachSharing(const Block& block, Call call) {
  float* queries = block.queries;
  for (i64 row = 0, count; row < block.rows; row += count) {
    count = sharingRows(block, row);
    call(row, count, queries);
    for (i64 r = 0; r < count; r += SCORE_TILE_ROWS) queries += scoreVectors(count - r) * SCORE_ROWS * block.words;
  }
}

// A head's vectors of a slice in a tile of keys, one behind the other.
struct KeyRun {
  const char* first = nullptr;
  INLINE KeyRun() {}
  INLINE KeyRun(const Block& block, const SliceRecord& slice, const Sequence& sequence, i64 head, i64 start) {
    if (block.attention->gather || slice.blockTokens % TILE || start >= sequence.keyEnd()) return;
    first = rowOf(slice, sequence, start) + block.vectorOf(slice, head);
  }
  // From a line of this run to the one of the next run that is fetched with it; 0: none.
  INLINE i64 to(const KeyRun& next) const { return first && next.first ? next.first - first : 0; }
};

// The keys of a head in a tile; those that lie in several slices are left to the machine.
static INLINE KeyRun keysIn(const Block& block, const Sequence& sequence, i64 head, i64 start) {
  return block.attention->keysCount > 1 ? KeyRun() : KeyRun(block, block.attention->keys[0], sequence, head, start);
}
static INLINE KeyRun keysIn(const Block& block, i64 row, i64 spanStart, i64 tile) {
  return keysIn(block, *block.sequence, block.headOf(row), spanStart + tile * TILE);
}
static INLINE KeyRun valuesIn(const Block& block, i64 row, i64 spanStart, i64 tile) {
  return KeyRun(block, block.attention->values, *block.sequence, block.headOf(row), spanStart + tile * TILE);
}

// Scores of all rows in a tile; `next` is read then.
template <class N> static INLINE void scoreDecodeTile(const Block& block, i64 spanStart, i64 tile, const KeyRun& next) {
  const i64 each = max<i64>(LANES, SCORE_SUMS);
  const Attention& a = *block.attention;
  const i64 start = spanStart + tile * TILE;
  eachSharing(block, [&](i64 row, i64 count, const float* queries) {
    TileRows rows;
    for (i64 s = 0; s < a.keysCount; s++) findKeys(block, a.keys[s], block.headOf(row), start, block.any[tile], rows.keys[s]);
    const bool last = row + count == block.rows;
    const i64 ahead = keysIn(block, row, spanStart, tile).to(last ? next : keysIn(block, row + count, spanStart, tile));
    const float* keys[TILE];
    const i64 wordBytes = ceilDiv(vectorBytes(a.keys[0]), block.words);
    for (i64 k = 0; k < TILE; k += each) {
      keyPointers<N>(block, rows, k, each, keys);
      for (i64 r = 0; r < count; r += SCORE_TILE_ROWS) {
        scoreRows<N>(block.scores + (row + r) * SPAN + tile * TILE + k, SPAN, count - r, block.byKey,
                     queries + r * block.words, keys, each, 0, block.words,
                     Fetch{rows.keys[0] + k, r == 0 ? ahead : 0, wordBytes}, [] {});
      }
    }
  });
}

// A tile of columns of y, whose rows begin there, from the values of the keys of n words.
template <class N, class Row, int MR, int NV>
static __attribute__((noinline)) void weighStrip(float* const* y, const float* const* x, const char* const* keys, i64 n,
                                                 i64 column, i64 width, bool add, i64 ahead) {
  constexpr i64 SIZE = (i64)sizeof(typename Row::Type);
  wordTile<N, MR, NV>(y, x, n, add, [&](i64 k, int v) {
    const char* const* rows = keys + k * N::PER_WORD;
    const i64 c = column + v * LANES;
    if (ahead && v * LANES * SIZE % LINE_BYTES == 0) {
      for (int i = 0; i < N::PER_WORD; i++) fetchLine(rows[i] + c * SIZE + ahead);
    }
    return N::template across<Row>(rows, c, NV > 1 ? LANES : width);
  });
}

// `rows` rows of y, `width` numbers each, from the values of the keys of some tiles; ahead(tile, column, next column) is
// what is fetched beside them.
template <class N, class Row, int MR, class AheadOf>
static INLINE void weighRows(float* const* y, const float* const* x, const char* const* keys, Tiles tiles, i64 width,
                             AheadOf ahead) {
  constexpr int NV = MR * 4 <= DECODE_SUMS ? 4 : MR * 2 <= DECODE_SUMS ? 2 : 1;
  constexpr i64 WORDS = TILE / N::PER_WORD;
  for (i64 c = 0, columns; c < width; c += columns * LANES) {
    columns = width - c >= NV * LANES ? NV : 1;
    float* to[MR];
    for (int i = 0; i < MR; i++) to[i] = y[i] + c;
    for (i64 t = tiles.lo; t < tiles.hi; t++) {
      const float* at[MR];
      for (int i = 0; i < MR; i++) at[i] = x[i] + t * WORDS;
      const i64 distance = ahead(t, c, c + columns * LANES);
      const bool add = t > tiles.lo;
      if (columns == NV) weighStrip<N, Row, MR, NV>(to, at, keys + t * TILE, WORDS, c, width - c, add, distance);
      else weighStrip<N, Row, MR, 1>(to, at, keys + t * TILE, WORDS, c, width - c, add, distance);
    }
  }
}

// The same, where some columns of all values are converted once for all rows.
template <class N, class Row>
static __attribute__((noinline)) void weighConverted(float* const* y, const float* const* x, i64 rows, float* converted,
                                                  const char* const* keys, i64 n, i64 width) {
  for (i64 c = 0; c < width; c += PANEL_COLUMNS) {
    const i64 columns = min(PANEL_COLUMNS, roundUp(width - c, LANES));
    for (i64 k = 0; k < n; k++) {
      for (i64 v = 0; v < columns; v += LANES) {
        store(converted + k * PANEL_COLUMNS + v, N::template across<Row>(keys + k * N::PER_WORD, c + v, width - c - v));
      }
    }
    panelProduct<N>([&](i64 r) { return y[r] + c; }, [&](i64 r) { return x[r]; }, rows, converted, n, columns, [] {});
  }
}

// The weighted sums of the values of some tiles; `next` is read then.
template <class N> static INLINE void weighDecodeValues(const Block& block, i64 spanStart, Tiles tiles, const KeyRun& next) {
  const Attention& a = *block.attention;
  const char* keys[SPAN];
  eachSharing(block, [&](i64 row, i64 count, const float*) {
    for (i64 t = tiles.lo; t < tiles.hi; t++) {
      findKeys(block, a.values, block.headOf(row), spanStart + t * TILE, block.any[t], keys + t * TILE);
    }
    // Words of exponentials lie in front of the tile they come from.
    const float* x[DECODE_ROWS];
    for (i64 i = 0; i < count; i++) x[i] = block.scores + (row + i) * SPAN + tiles.lo * (TILE - TILE / N::PER_WORD);
    const KeyRun first = valuesIn(block, row, spanStart, tiles.lo);
    const KeyRun then = row + count < block.rows ? valuesIn(block, row + count, spanStart, tiles.lo) : next;
    if (VALUES_CONVERTED_ONCE && count > PANEL_MR && a.values.dtype != F32) {
      for (i64 i = 0; i < count; i++) x[i] += tiles.lo * (TILE / N::PER_WORD);
      return withCacheType(a.values.dtype, [&](auto type) {
        weighConverted<N, decltype(type)>(block.out + row, x, count, block.panels, keys + tiles.lo * TILE,
                                       (tiles.hi - tiles.lo) * (TILE / N::PER_WORD), a.V);
      });
    }
    for (i64 r = 0; r < count;) {
      r += withCount<PANEL_MR>(count - r, [&](auto rows) {
        withCacheType(a.values.dtype, [&](auto type) {
          typedef decltype(type) Row;
          // What is read then: the same columns in the next tile, the next columns, another head's or other keys.
          const auto ahead = [&](i64 tile, i64 column, i64 nextColumn) -> i64 {
            if (r > 0 || a.valuesAmongKeys()) return 0;
            const KeyRun here = valuesIn(block, row, spanStart, tile);
            if (tile + 1 < tiles.hi) return here.to(valuesIn(block, row, spanStart, tile + 1));
            const i64 size = sizeof(typename Row::Type);
            return nextColumn < a.V ? here.to(first) + (nextColumn - column) * size : here.to(then) - column * size;
          };
          weighRows<N, Row, decltype(rows)::value>(block.out + row + r, x + r, keys, tiles, a.V, ahead);
        });
      });
    }
  });
}

// The block's state after one span; `next`: the keys that this thread is likely to read then.
template <class N> static INLINE void decodeSpan(Block& block, i64 span, const KeyRun& next) {
  const Attention& a = *block.attention;
  const Range keys = keysFor(a, *block.sequence, block.firstQuery);
  const i64 start = span * SPAN;
  Tiles tiles = {SPAN_TILES, 0};
  for (i64 t = 0; t < SPAN_TILES; t++) {
    block.any[t] = keysSeen(a, *block.sequence, block.firstQuery, keys, start + t * TILE);
    if (block.any[t]) tiles = {min(tiles.lo, t), t + 1};
  }
  for (i64 r = 0; r < block.rows; r++) {
    block.max[r] = -INFINITY_F32;
    for (i64 t = 0; t < SPAN_TILES; t++) block.seen[r][t] = block.any[t];
  }
  if (tiles.empty()) return;
  const KeyRun values = a.valuesAmongKeys() ? next : valuesIn(block, 0, start, tiles.lo);
  for (i64 t = tiles.lo; t < tiles.hi; t++) {
    scoreDecodeTile<N>(block, start, t, t + 1 < tiles.hi ? keysIn(block, 0, start, t + 1) : values);
  }
  for (i64 r = 0; r < block.rows; r++) exponentials<N>(block, r, start, tiles);
  weighDecodeValues<N>(block, start, tiles, next);
}

}  // namespace latentkit::LATENTKIT_ISA
