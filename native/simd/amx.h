// 16 lanes as of AVX-512 with pairs of bf16, and AMX: tiles of 16 rows of 16 words.
#pragma once
#include <immintrin.h>

// By itself, as in an editor, this header is of its own set.
#ifndef LATENTKIT_ISA
#define LATENTKIT_ISA amx
#define LATENTKIT_LANES 16
#define LATENTKIT_SIMD "amx.h"
#endif

#include "avx512.h"

#define LATENTKIT_TILES

namespace latentkit::LATENTKIT_ISA {

// Tiles that a thread may use as long as this lives: 0 to 3 hold sums of 16 x 16, 4 and 5 left factors, of 16 rows of `depth` bytes, 6 and 7
// right ones, of depth / 4 rows of 16 words.
struct TileRegisters {
  INLINE explicit TileRegisters(i64 depth = 64) {
    struct alignas(64) {
      u8 palette = 1, startRow = 0, reserved[14] = {};
      uint16_t rowBytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
      u8 rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
    } config;
    config.rowBytes[4] = config.rowBytes[5] = (uint16_t)depth;
    config.rows[6] = config.rows[7] = (u8)(depth / 4);
    fence();
    _tile_loadconfig(&config);
  }
  INLINE ~TileRegisters() { _tile_release(); }
  // Compilers do not see what tiles read and write of memory.
  static INLINE void fence() { __asm__ volatile("" ::: "memory"); }
};

// to[i][j] = the sum over `words` (a multiple of 16) of the products of both bf16 of word k of a's row i and of b's row k, column j, for
// i < ROWS (16 or 32) and j < 32. Rows are so many words apart; those of `to` 32.
template <int ROWS> INLINE void tileSums(float* to, const float* a, i64 aRow, const float* b, i64 bRow, i64 words) {
  TileRegisters::fence();
  _tile_zero(0);
  _tile_zero(1);
  if constexpr (ROWS > 16) {
    _tile_zero(2);
    _tile_zero(3);
  }
  for (i64 k = 0; k < words; k += 16) {
    _tile_loadd(4, a + k, aRow * 4);
    _tile_loadd(6, b + k * bRow, bRow * 4);
    _tile_loadd(7, b + k * bRow + 16, bRow * 4);
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
    if constexpr (ROWS > 16) {
      _tile_loadd(5, a + 16 * aRow + k, aRow * 4);
      _tile_dpbf16ps(2, 5, 6);
      _tile_dpbf16ps(3, 5, 7);
    }
  }
  _tile_stored(0, to, 128);
  _tile_stored(1, to + 16, 128);
  if constexpr (ROWS > 16) {
    _tile_stored(2, to + 16 * 32, 128);
    _tile_stored(3, to + 16 * 32 + 16, 128);
  }
  TileRegisters::fence();
}

// to[i][j] = the sum over b < 4, k < depth / 4 of the products of byte 4 k + b of a's row i and of b's row k, byte 4 j + b. Rows of a are `aRow`
// bytes apart; a and b were written by another function. `which`, 0 to 3: the tile that holds the sums; those asked for in turn overlap.
INLINE void integerTile(i64 which, int32_t* to, const int8_t* a, i64 aRow, const Bytes* b) {
// Tiles are named by their numbers as written.
#define LATENTKIT_TILE(sums, left, right) \
  case sums:                              \
    _tile_zero(sums);                     \
    _tile_loadd(left, a, aRow);           \
    _tile_loadd(right, b, 64);            \
    _tile_dpbssd(sums, left, right);      \
    _tile_stored(sums, to, 64);           \
    break;
  switch (which) {
    LATENTKIT_TILE(0, 4, 6)
    LATENTKIT_TILE(1, 5, 7)
    LATENTKIT_TILE(2, 4, 6)
    LATENTKIT_TILE(3, 5, 7)
  }
#undef LATENTKIT_TILE
  // What else is in registers may stay there.
  __asm__ volatile("" : "=m"(*(int32_t(*)[256])to));
}

}  // namespace latentkit::LATENTKIT_ISA
