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
  i64 r = 0;
  const auto next = [&](i64 count) {
    r += count;
    c.at += count * c.row;
    a.at += count * a.row;
  };
  for (; r + HALF <= rows; next(HALF)) blockRows<HALF>(c, width, a, b, n);
  for (; r < rows; next(1)) blockRows<1>(c, width, a, b, n);
}

// Sums of more terms are taken apart, so that what is multiplied stays in the caches (and rounding errors grow less).
constexpr i64 DEPTH = 256;

// Blocks of a result of rows x cols: whole tiles, as large as caches allow, but several for each thread. Sums do not depend on them.
struct BlockSplit {
  static constexpr i64 MOST_ROWS = 192, MOST_COLUMNS = 384;
  i64 rowsEach = MOST_ROWS, colsEach = MOST_COLUMNS, rowBlocks, colBlocks;
  INLINE BlockSplit(i64 rows, i64 cols, i64 threads) {
    for (;;) {
      rowBlocks = ceilDiv(rows, rowsEach);
      colBlocks = ceilDiv(cols, colsEach);
      if (threads == 1 || units() >= 4 * threads || rowsEach <= 48) return;
      if (colsEach > 96 && colsEach >= rowsEach) colsEach /= 2;
      else rowsEach /= 2;
    }
  }
  INLINE i64 units() const { return rowBlocks * colBlocks; }
};

// What a thread packs for a block.
struct BlockMemory {
  static constexpr i64 LEFT = DEPTH * BlockSplit::MOST_ROWS, RIGHT = DEPTH * (BlockSplit::MOST_COLUMNS + TILE_COLUMNS);
  static constexpr size_t BYTES = (size_t)(LEFT + RIGHT) * 4;
  float *left, *right;
  INLINE explicit BlockMemory(char* scratch) : left((float*)scratch), right(left + LEFT) {}
};

// Packs columns of `n` rows as panels, one behind the other, each of DEPTH rows: `toFloats(to, k, c, count)` writes numbers of row k.
template <class ToFloats> INLINE void packPanels(float* panels, i64 n, i64 cols, ToFloats toFloats) {
  for (i64 k = 0; k < n; k++) {
    float* to = panels + k * TILE_COLUMNS;
    for (i64 c = 0; c < cols; c += TILE_COLUMNS, to += DEPTH * TILE_COLUMNS) {
      const i64 count = min(TILE_COLUMNS, cols - c);
      toFloats(to, k, c, count);
      for (i64 i = count; i < TILE_COLUMNS; i++) to[i] = 0;
    }
  }
}

// rows x cols of C from packed panels; `left(r)`: the left factor from row r on, a multiple of PANEL_MR.
template <class Left> INLINE void multiplyPanels(Sums c, i64 rows, i64 cols, Left left, const float* panels, i64 n) {
  for (i64 col = 0; col < cols; col += TILE_COLUMNS, panels += DEPTH * TILE_COLUMNS) {
    const i64 width = min(TILE_COLUMNS, cols - col);
    for (i64 r = 0; r < rows; r += PANEL_MR) {
      const Sums to = {c.at + r * c.row + col, c.row, c.scale, c.add};
      fewRows(to, min<i64>(PANEL_MR, rows - r), width, left(r), {panels, TILE_COLUMNS}, n);
    }
  }
}

}  // namespace latentkit::LATENTKIT_ISA
