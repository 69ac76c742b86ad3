// C += scale A B on blocks that lie in the caches, for the backward rules: a number of C is a sum of `n` products, one chain in
// rising order, whatever tile it is computed in; then it is added to what C holds.
#pragma once
#include "../../simd/simd.h"
#include "register-tiles.h"

namespace latentkit::LATENTKIT_ISA {

// Columns of C that a tile computes.
constexpr i64 TILE_COLUMNS = PANEL_NV * LANES;

// Number (i, k) lies at at[i * row + k * step].
struct LeftFactor {
  const float* at;
  i64 row, step;
};

// Row k of n; its columns follow each other, in whole vectors.
struct RightFactor {
  const float* at;
  i64 step;
};

// Where the sums go: times `scale` they are added to what is there, or, with `add` false, replace it.
struct Sums {
  float* at;
  i64 row;
  float scale;
  bool add;
};

template <int MR, int NV>
static __attribute__((noinline)) void blockTile(Sums c, i64 width, LeftFactor a, RightFactor b, i64 n) {
  F sums[MR][NV];
  clear(sums);
  if (c.add) {
#pragma GCC unroll 8
    for (int i = 0; i < MR; i++) {
      for (int v = 0; v < NV; v++) __builtin_prefetch(c.at + i * c.row + v * LANES);
    }
  }
  const float* rows[MR];
#pragma GCC unroll 8
  for (int i = 0; i < MR; i++) rows[i] = a.at + i * a.row;
  const float* columns = b.at;
  for (i64 k = 0, at = 0; k < n; k++, at += a.step, columns += b.step) {
    F ws[NV];
#pragma GCC unroll 4
    for (int v = 0; v < NV; v++) ws[v] = load(columns + v * LANES);
#pragma GCC unroll 8
    for (int i = 0; i < MR; i++) {
      const F xs = set1(rows[i][at]);
#pragma GCC unroll 4
      for (int v = 0; v < NV; v++) sums[i][v] = fma(xs, ws[v], sums[i][v]);
    }
  }
  const F scale = set1(c.scale);
#pragma GCC unroll 8
  for (int i = 0; i < MR; i++) {
#pragma GCC unroll 4
    for (int v = 0; v < NV; v++) {
      float* to = c.at + i * c.row + v * LANES;
      const i64 rest = width - v * LANES;
      if (rest >= LANES) store(to, c.add ? fma(scale, sums[i][v], load(to)) : sums[i][v]);
      else if (rest > 0) storePart(to, c.add ? fma(scale, sums[i][v], loadPart(to, (int)rest)) : sums[i][v], (int)rest);
    }
  }
}

template <int MR> INLINE void blockRows(Sums c, i64 width, LeftFactor a, RightFactor b, i64 n) {
  if (width > LANES) blockTile<MR, PANEL_NV>(c, width, a, b, n);
  else blockTile<MR, 1>(c, width, a, b, n);
}

// `rows` <= PANEL_MR rows of C at `width` <= TILE_COLUMNS columns.
static INLINE void fewRows(Sums c, i64 rows, i64 width, LeftFactor a, RightFactor b, i64 n) {
  if (rows == PANEL_MR) return blockRows<PANEL_MR>(c, width, a, b, n);
  constexpr int HALF = PANEL_MR / 2;
  while (rows > 0) {
    const i64 count = rows >= HALF ? HALF : 1;
    if (count == HALF) blockRows<HALF>(c, width, a, b, n);
    else blockRows<1>(c, width, a, b, n);
    rows -= count;
    c.at += count * c.row;
    a.at += count * a.row;
  }
}

// Sums of more terms are taken apart, so that what is multiplied stays in the caches (and rounding errors grow less).
constexpr i64 DEPTH = 256;

// Blocks of a result of rows x cols. The left factor of a block is packed once for all its columns, into the second-level cache, the
// right one a panel at a time for all its rows, into the first: both should be many. Threads should have equally many blocks, or
// enough of them. Sums do not depend on the blocks.
struct BlockSplit {
  static constexpr i64 MOST_ROWS = 384, FEW_ROWS = 48, FEW_COLUMNS = 96;
  i64 rowsEach, colsEach, rowBlocks, colBlocks;
  INLINE BlockSplit(i64 rows, i64 cols, i64 threads) {
    rowBlocks = ceilDiv(rows, MOST_ROWS);
    colBlocks = min<i64>(1, cols);
    for (;;) {
      rowsEach = roundUp(ceilDiv(rows, max<i64>(1, rowBlocks)), PANEL_MR);
      colsEach = roundUp(ceilDiv(cols, max<i64>(1, colBlocks)), TILE_COLUMNS);
      if (units() % threads == 0 || units() >= 4 * threads) break;
      if (colsEach >= max<i64>(2 * rowsEach, 2 * FEW_COLUMNS)) colBlocks *= 2;
      else if (rowsEach >= 2 * FEW_ROWS) rowBlocks *= 2;
      else break;
    }
    rowBlocks = ceilDiv(rows, max<i64>(1, rowsEach));
    colBlocks = ceilDiv(cols, max<i64>(1, colsEach));
  }
  INLINE i64 units() const { return rowBlocks * colBlocks; }
};

// What a thread packs of a block.
struct BlockMemory {
  static constexpr i64 LEFT = DEPTH * (BlockSplit::MOST_ROWS + PANEL_MR), RIGHT = DEPTH * TILE_COLUMNS;
  static constexpr size_t BYTES = (size_t)(LEFT + RIGHT) * 4;
  float *right, *left;
  INLINE explicit BlockMemory(char* scratch) : right((float*)scratch), left(right + RIGHT) {}
};

// Fetches `count` numbers from memory.
INLINE void fetchRow(const float* row, i64 count) {
  for (i64 c = 0; c < count; c += LINE_BYTES / 4) fetchLine(row + c);
}

// Packs the left factor's n steps of `rows` rows as tiles of [DEPTH, PANEL_MR], from rows of steps: `step(k)` is where the numbers
// of step k lie. Some steps at a time fill whole lines, while the next ones come from memory.
template <class Step> INLINE void packAcross(float* tiles, i64 rows, i64 n, Step step) {
  constexpr i64 TOGETHER = 8;
  for (i64 k = 0; k < n; k += TOGETHER) {
    const i64 count = min(TOGETHER, n - k);
    for (i64 i = k + TOGETHER; i < min(n, k + 2 * TOGETHER); i++) fetchRow(step(i), rows);
    for (i64 r = 0; r < rows; r += PANEL_MR) {
      float* to = tiles + r * DEPTH + k * PANEL_MR;
      for (i64 i = 0; i < count; i++, to += PANEL_MR) {
        const float* from = step(k + i) + r;
        if (r + PANEL_MR <= rows) copyBytes(to, from, PANEL_MR * 4);
        else copyBytes(to, from, (size_t)(rows - r) * 4);
      }
    }
  }
}

// The same from rows as they are, `row(r)`: rows of DEPTH, one behind the other.
template <class Row> INLINE void packAlong(float* to, i64 rows, i64 n, Row row) {
  for (i64 r = 0; r < rows; r++, to += DEPTH) copyBytes(to, row(r), (size_t)n * 4);
}

// Copies columns of a step of the right factor into a panel, zeros behind them.
INLINE void packStep(float* to, const float* from, i64 count) {
  if (count == TILE_COLUMNS) return copyBytes(to, from, TILE_COLUMNS * 4);
  copyBytes(to, from, (size_t)count * 4);
  for (i64 i = count; i < TILE_COLUMNS; i++) to[i] = 0;
}

// rows x cols of C, sums of n steps. `left(r)`: the left factor from row r on, a multiple of PANEL_MR. `pack(to, k, c, count)` packs
// columns of step k of the right one, which `fetch(k, c)` has fetched from memory while the columns before were multiplied.
template <class Left, class Pack, class Fetch>
INLINE void multiplyBlock(Sums c, i64 rows, i64 cols, i64 n, float* panel, Left left, Pack pack, Fetch fetch) {
  const i64 fetchEach = ceilDiv(n, ceilDiv(rows, PANEL_MR));
  for (i64 col = 0; col < cols; col += TILE_COLUMNS) {
    const i64 width = min(TILE_COLUMNS, cols - col), next = col + TILE_COLUMNS;
    for (i64 k = 0; k < n; k++) pack(panel + k * TILE_COLUMNS, k, col, width);
    for (i64 r = 0, k = next < cols ? 0 : n; r < rows; r += PANEL_MR) {
      for (const i64 last = min(n, k + fetchEach); k < last; k++) fetch(k, next);
      const Sums to = {c.at + r * c.row + col, c.row, c.scale, c.add};
      fewRows(to, min<i64>(PANEL_MR, rows - r), width, left(r), {panel, TILE_COLUMNS}, n);
    }
  }
}

}  // namespace latentkit::LATENTKIT_ISA
