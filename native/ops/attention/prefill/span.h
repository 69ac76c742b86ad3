// A block of many query rows against a span of keys, as in reading a prompt: keys and values of a tile are packed once for
// all rows.
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

// The vectors of the span to come, fetched from memory a few keys at a time while this one is computed.
struct Ahead {
  const Block& block;
  const i64 start, end, keysEach;
  i64 key = 0, parts = 0;
  const char* first[MAX_SLICES + 1];
  i64 stride[MAX_SLICES + 1], bytes[MAX_SLICES + 1];

  // In about so many calls of `some`.
  INLINE Ahead(const Block& block, i64 start, i64 calls)
      : block(block), start(start), end(block.attention->gather ? 0 : min(SPAN, block.sequence->keyEnd() - start)), keysEach(ceilDiv(SPAN, calls)) {}

  INLINE void add(const SliceRecord& slice) {
    if (slice.blockTokens % TILE) return;
    first[parts] = rowOf(slice, *block.sequence, start + key) + block.vectorOf(slice, block.firstHead);
    stride[parts] = slice.rowBytes;
    bytes[parts++] = vectorBytes(slice);
  }
  INLINE void some() {
    for (const i64 last = min(end, key + keysEach); key < last; key++) {
      if (key % TILE == 0) {
        const Attention& a = *block.attention;
        parts = 0;
        for (i64 s = 0; s < a.keysCount; s++) add(a.keys[s]);
        if (!a.valuesAmongKeys()) add(a.values);
      }
      for (i64 p = 0; p < parts; p++) {
        const char* at = first[p] + key % TILE * stride[p];
        for (i64 b = 0; b < bytes[p]; b += LINE_BYTES) fetchLine(at + b);
      }
    }
  }
};

// Words of keys from a tile of a span on.
template <class N> INLINE float* panelsAt(const Block& block, i64 tile) {
  return block.panels + tile * (TILE / N::PER_WORD) * PANEL_COLUMNS;
}
template <class N> INLINE constexpr i64 panelWords() { return SPAN / N::PER_WORD; }

// Scores of all rows in a tile. Packs the tile's values too, while they are in the first cache.
template <class N> static INLINE void scoreSpanTile(Block& block, i64 start, i64 tile, Ahead& ahead) {
  const Attention& a = *block.attention;
  TileRows rows;
  for (i64 s = 0; s < a.keysCount; s++) findKeys(block, a.keys[s], block.firstHead, start, block.any[tile], rows.keys[s]);
  findKeys(block, a.values, block.firstHead, start, block.any[tile], rows.values);
  // Few rows read a key once: then it stays in the first cache until its values are packed.
  const i64 each = block.rows <= SCORE_TILE_ROWS ? max<i64>(LANES, SCORE_SUMS) : TILE;
  const float* keys[TILE];
  for (i64 k = 0; k < TILE; k += each) {
    dequantiseTile(block, rows, k, each);
    const i64 apart = keyPointers<N>(block, rows, k, each, keys);
    for (i64 r = 0; r < block.rows; r += SCORE_TILE_ROWS) {
      scoreRows<N>(block.scores + r * SPAN + tile * TILE + k, SPAN, block.rows - r, block.byKey,
                   block.queries + r * block.words, keys, each, r == 0 ? apart : 0, block.words, Fetch{}, [&] { ahead.some(); });
    }
    withCacheType(plainType(a.values.dtype), [&](auto row) {
      packValues<N, decltype(row)>(panelsAt<N>(block, tile) + k / N::PER_WORD * PANEL_COLUMNS, panelWords<N>(),
                                  rows.values + k, each / N::PER_WORD, a.V);
    });
  }
}

// The weighted sums of values of rows r0 .. r1 over some tiles of a span.
template <class N> static INLINE void weighValues(Block& block, i64 r0, i64 r1, Tiles tiles, Ahead& ahead) {
  const Attention& a = *block.attention;
  const i64 n = (tiles.hi - tiles.lo) * (TILE / N::PER_WORD);
  const float* panel = panelsAt<N>(block, tiles.lo);
  for (i64 c = 0; c < a.V; c += PANEL_COLUMNS, panel += panelWords<N>() * PANEL_COLUMNS) {
    panelProduct<N>([&](i64 r) { return block.out[r0 + r] + c; },
                    [&](i64 r) { return block.scores + (r0 + r) * SPAN + tiles.lo * TILE; }, r1 - r0, panel, n,
                    min(PANEL_COLUMNS, a.paddedV() - c), [&] { ahead.some(); });
  }
}

// Whether all packed values are finite.
template <class N> static INLINE bool finiteValues(const Block& block, Tiles tiles) {
  const Attention& a = *block.attention;
  const float* panel = panelsAt<N>(block, tiles.lo);
  for (i64 c = 0; c < a.V; c += PANEL_COLUMNS, panel += panelWords<N>() * PANEL_COLUMNS) {
    const i64 columns = min(PANEL_COLUMNS, a.paddedV() - c);
    if (!allFinite<N>(panel, (tiles.hi - tiles.lo) * (TILE / N::PER_WORD), columns)) return false;
  }
  return true;
}

// Packs the tile's values again, with zeros in place of those that a row does not see.
template <class N> static INLINE void zeroMaskedValues(Block& block, i64 r, i64 start, i64 tile) {
  const Attention& a = *block.attention;
  const char* rows[TILE];
  findKeys(block, a.values, block.firstHead, start, block.seen[r][tile], rows);
  if (isScaled(a.values.dtype)) dequantiseVectors(block.plain, a.values, rows, TILE);
  withCacheType(plainType(a.values.dtype), [&](auto row) {
    packValues<N, decltype(row)>(panelsAt<N>(block, tile), panelWords<N>(), rows, TILE / N::PER_WORD, a.V);
  });
}

// The block's state after one span; `next`: the span that this thread is likely to run then.
template <class N> static INLINE void prefillSpan(Block& block, i64 span, i64 next) {
  const Attention& a = *block.attention;
  const Sequence& sequence = *block.sequence;
  const i64 start = span * SPAN;
  i64 r0 = block.rows, r1 = 0;
  Tiles tiles = {SPAN_TILES, 0};
  for (i64 t = 0; t < SPAN_TILES; t++) block.any[t] = 0;
  // The rows of a query, its heads, see the same.
  for (i64 r = 0; r < block.rows; r += block.heads) {
    const i64 query = block.queryOf(r);
    const Range keys = keysFor(a, sequence, query);
    for (i64 t = 0; t < SPAN_TILES; t++) {
      const KeySet seen = keysSeen(a, sequence, query, keys, start + t * TILE);
      for (i64 h = 0; h < block.heads; h++) block.seen[r + h][t] = seen;
      if (!seen) continue;
      block.any[t] |= seen;
      tiles = {min(tiles.lo, t), max(tiles.hi, t + 1)};
      r0 = min(r0, r);
      r1 = r + block.heads;
    }
  }
  for (i64 r = 0; r < block.rows; r++) block.max[r] = -INFINITY_F32;
  if (tiles.empty()) return;
  const i64 calls = (tiles.hi - tiles.lo) * (TILE / SCORE_SUMS * scoreVectors(block.rows)) * ceilDiv(block.rows, SCORE_TILE_ROWS) +
                    ceilDiv(a.V, PANEL_COLUMNS) * ceilDiv(r1 - r0, PANEL_MR);
  Ahead ahead(block, next * SPAN, calls);
  for (i64 t = tiles.lo; t < tiles.hi; t++) scoreSpanTile<N>(block, start + t * TILE, t, ahead);
  bool alike = true;
  for (i64 r = r0; r < r1; r++) {
    exponentials<N>(block, r, start, tiles);
    for (i64 t = tiles.lo; t < tiles.hi; t++) alike &= block.seen[r][t] == block.any[t];
  }
  if (alike || finiteValues<N>(block, tiles)) return weighValues<N>(block, r0, r1, tiles, ahead);
  // What a row does not see weighs 0; but 0 times NaN or infinity is not 0.
  for (i64 r = r0; r < r1; r++) {
    for (i64 t = tiles.lo; t < tiles.hi; t++) zeroMaskedValues<N>(block, r, start + t * TILE, t);
    weighValues<N>(block, r, r + 1, tiles, ahead);
  }
}

}  // namespace latentkit::LATENTKIT_ISA
