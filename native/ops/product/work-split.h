// How a product is split into units that threads take.
#pragma once
#include "../../simd/simd.h"
#include "float-product.h"

namespace latentkit::LATENTKIT_ISA {

// Tokens of a unit where there are too few blocks of weight rows for all threads.
constexpr i64 TOKEN_BLOCK = 128;

// Of T tokens and `rows` weight rows.
struct WorkSplit {
  i64 rowsEach, rowBlocks, tokensEach, tokenBlocks;
  INLINE WorkSplit(i64 T, i64 rows, i64 cols) {
    // With few tokens a unit is some 16384 weights, in whole tiles; else a panel.
    const i64 few = roundUp(max<i64>(1, 16384 / max<i64>(1, cols)), T == 1 ? DOT_ONE : DOT_NR);
    rowsEach = T < PANEL_TOKENS ? min(few, rowsPerPanel(cols)) : rowsPerPanel(cols);
    rowBlocks = ceilDiv(rows, rowsEach);
    tokensEach = max<i64>(1, rowBlocks >= 16 ? T : min(T, TOKEN_BLOCK));
    tokenBlocks = ceilDiv(T, tokensEach);
  }
  INLINE i64 units() const { return rowBlocks * tokenBlocks; }
};

}  // namespace latentkit::LATENTKIT_ISA
