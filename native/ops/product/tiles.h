// Products of factors that are rounded to bf16 on the machine's tiles, where it has them (LATENTKIT_TILES).
#pragma once
#include "../../simd/simd.h"
#include "sums.h"

namespace latentkit::LATENTKIT_ISA {

#ifdef LATENTKIT_TILES
template <class N> constexpr bool ON_TILES = N::PER_WORD == 2;
#else
template <class> constexpr bool ON_TILES = false;
// Never called.
struct TileRegisters {};
template <int ROWS> void tileSums(float* to, const float* a, i64 aRow, const float* b, i64 bRow, i64 words);
#endif

// Rows that are multiplied at once.
template <class N> constexpr i64 ROWS_AT_ONCE = ON_TILES<N> ? 32 : PANEL_MR;

// Nothing where nothing is multiplied on tiles.
template <bool> struct TilesIf {};
template <> struct TilesIf<true> : TileRegisters {};

// `rows` <= 32 rows, `row` words apart, at `width` <= TILE_COLUMNS columns of a panel, over `words`, a multiple of LANES. Rows behind the last
// are multiplied, too, and go nowhere.
template <class N> static __attribute__((noinline)) void rowsOnTiles(const Sums& c, i64 rows, i64 width, const float* a, i64 row, const float* panel, i64 words) {
  static_assert(!ON_TILES<N> || (TILE_COLUMNS == 32 && LANES == 16));
  alignas(64) float sums[32 * TILE_COLUMNS];
  if (rows > 16) tileSums<32>(sums, a, row, panel, TILE_COLUMNS, words);
  else tileSums<16>(sums, a, row, panel, TILE_COLUMNS, words);
  const auto put = [&](i64 r, auto count) {
    const float* from = sums + r * TILE_COLUMNS;
    putSums<decltype(count)::value, PANEL_NV>(c.part(r, 0), width, [&](int i, int v) { return load(from + i * TILE_COLUMNS + v * LANES); });
  };
  i64 r = 0;
  for (; r + 8 <= rows; r += 8) put(r, Count<8>{});
  for (; r < rows; r++) put(r, Count<1>{});
}

}  // namespace latentkit::LATENTKIT_ISA
