// Products of blocks that lie in the caches, for training: a number of the result is a sum of `n` products, one chain in rising order (on
// tiles of AMX two, of even and of odd ones, for 32 at a time), whatever tile it is computed in; then it goes where `Sums` says.
//
// Factors are f32, or rounded to bf16. Rounded ones are multiplied as pairs where the machine does that (numbers.h), on tiles where it has
// those (simd/amx.h), else as f32: the products are the same, and exact, the sums are of f32 in all.
#pragma once
#include "../../simd/simd.h"
#include "../attention/numbers.h"
#include "../rows/row-types.h"
#include "packing.h"
#include "register-tiles.h"
#include "sums.h"
#include "tiles.h"

namespace latentkit::LATENTKIT_ISA {

template <class N, int MR, int NV>
static __attribute__((noinline)) void blockTile(const Sums& c, i64 width, LeftFactor a, RightFactor b, i64 n) {
  F sums[MR][NV];
  clear(sums);
#pragma GCC unroll 8
  for (int i = 0; i < MR; i++) {
    for (int v = 0; v < NV; v++) {
      if (c.base) __builtin_prefetch(c.base + i * c.baseRow + v * LANES);
      if (c.base != c.at) __builtin_prefetch(c.at + i * c.row + v * LANES, 1);
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
      for (int v = 0; v < NV; v++) sums[i][v] = N::multiplyAdd(xs, ws[v], sums[i][v]);
    }
  }
  putSums<MR, NV>(c, width, [&](int i, int v) { return sums[i][v]; });
}

template <class N, int MR> INLINE void blockRows(const Sums& c, i64 width, LeftFactor a, RightFactor b, i64 n) {
  if (width > LANES) blockTile<N, MR, PANEL_NV>(c, width, a, b, n);
  else blockTile<N, MR, 1>(c, width, a, b, n);
}

// `rows` <= PANEL_MR rows at `width` <= TILE_COLUMNS columns.
template <class N> static INLINE void fewRows(const Sums& c, i64 rows, i64 width, LeftFactor a, RightFactor b, i64 n) {
  if (rows == PANEL_MR) return blockRows<N, PANEL_MR>(c, width, a, b, n);
  constexpr int HALF = PANEL_MR / 2;
  for (i64 r = 0; r < rows;) {
    const i64 count = rows - r >= HALF ? HALF : 1;
    const LeftFactor left = {a.at + r * a.row, a.row, a.step};
    if (count == HALF) blockRows<N, HALF>(c.part(r, 0), width, left, b, n);
    else blockRows<N, 1>(c.part(r, 0), width, left, b, n);
    r += count;
  }
}

// f32 factors that have been rounded to bf16.
struct AsRounded : AsF32 {
  static INLINE F rounded(F x) { return (F)(bf16Codes(x) << 16); }
  template <class Row> static INLINE F along(const typename Row::Type* row, i64 n) { return rounded(AsF32::along<Row>(row, n)); }
  template <class Row> static INLINE F across(const char* const* keys, i64 c, i64 n) {
    return rounded(AsF32::across<Row>(keys, c, n));
  }
};

#ifdef LATENTKIT_BF16_PAIRS
typedef AsBf16 RoundedFactors;
#else
typedef AsRounded RoundedFactors;
#endif

// Blocks of a result of rows x cols. The left factor of a block is packed once for all its columns, into the second-level cache, the
// right one a panel at a time for all its rows, into the first: both should be many. Threads should have equally many blocks, or
// enough of them. Sums do not depend on the blocks.
struct BlockSplit {
  static constexpr i64 MAX_ROWS = ON_TILES<RoundedFactors> ? 512 : 384, FEW_ROWS = 48, FEW_COLUMNS = 96;
  i64 rowsEach, colsEach, rowBlocks, colBlocks;
  INLINE BlockSplit(i64 rows, i64 cols, i64 threads) {
    rowBlocks = ceilDiv(rows, MAX_ROWS);
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
  static constexpr i64 STRIDE = ROW_STRIDE<RoundedFactors>, MOST_DEPTH = DEPTH<RoundedFactors>;
  static_assert(STRIDE >= ROW_STRIDE<AsF32> && MOST_DEPTH >= DEPTH<AsF32>);
  static constexpr i64 LEFT = STRIDE * (BlockSplit::MAX_ROWS + ROWS_AT_ONCE<RoundedFactors>), RIGHT = MOST_DEPTH * TILE_COLUMNS;
  static constexpr size_t BYTES = (size_t)(LEFT + 2 * RIGHT) * 4;
  // `plain`: of the right factor as f32, where a weight has another type.
  float *right, *plain, *left;
  INLINE explicit BlockMemory(char* scratch) : right((float*)scratch), plain(right + RIGHT), left(plain + RIGHT) {}
};

// Calls `call` with how factors are multiplied.
template <class Call> INLINE void withFactors(bool rounded, Call call) {
  if (rounded) call(RoundedFactors{});
  else call(AsF32{});
}

// rows x cols of the result, sums of n steps. `left(r)`: the left factor from row r on, a multiple of the rows that are multiplied at once. `pack(panel, c, width)`
// packs columns of the right one, whose step k `fetch(k, c)` has fetched from memory while the columns before were multiplied.
template <class N, class Left, class Pack, class Fetch>
INLINE void multiplyBlock(const Sums& c, i64 rows, i64 cols, i64 n, float* panel, Left left, Pack pack, Fetch fetch) {
  constexpr i64 ROWS = ROWS_AT_ONCE<N>;
  const i64 fetchEach = ceilDiv(n, ceilDiv(rows, ROWS)), words = ceilDiv(n, N::PER_WORD);
  // Tiles take steps behind the last: zeros.
  [[maybe_unused]] const i64 whole = roundUp(words, LANES);
  [[maybe_unused]] const TilesIf<ON_TILES<N>> tiles;
  for (i64 col = 0; col < cols; col += TILE_COLUMNS) {
    const i64 width = min(TILE_COLUMNS, cols - col), next = col + TILE_COLUMNS;
    pack(panel, col, width);
    if constexpr (ON_TILES<N>) {
      for (i64 i = words * TILE_COLUMNS; i < whole * TILE_COLUMNS; i += LANES) store(panel + i, F{});
    }
    for (i64 r = 0, k = next < cols ? 0 : n; r < rows; r += ROWS) {
      for (const i64 last = min(n, k + fetchEach); k < last; k++) fetch(k, next);
      const i64 count = min(ROWS, rows - r);
      const LeftFactor a = left(r);
      if constexpr (ON_TILES<N>) rowsOnTiles<N>(c.part(r, col), count, width, a.at, a.row, panel, whole);
      else fewRows<N>(c.part(r, col), count, width, a, {panel, TILE_COLUMNS}, words);
    }
  }
}

}  // namespace latentkit::LATENTKIT_ISA
