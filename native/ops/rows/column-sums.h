// Sums down the columns of rows, as the gradients of vectors need them. Each thread has columns of its own.
#pragma once
#include "../../core/context.h"
#include "../../simd/simd.h"

namespace latentkit::LATENTKIT_ISA {

// So many rows are added up before they are added to the rest: rounding errors stay small.
constexpr i64 ROWS_EACH = 256;

// Calls `take(sums, c, lanes)` for each vector of columns with SUMS sums over all rows: `add(sums, row, c, lanes)` adds a row's numbers.
template <int SUMS, class Add, class Take>
INLINE void sumColumns(Context& context, i64 rows, i64 cols, Add add, Take take) {
  constexpr int VECTORS = 4;
  context.each(ceilDiv(cols, VECTORS * LANES), 1, [&](i64 block) {
    const i64 first = block * VECTORS * LANES;
    F totals[VECTORS][SUMS] = {};
    for (i64 row = 0; row < rows; row += ROWS_EACH) {
      F sums[VECTORS][SUMS] = {};
      const i64 last = min(rows, row + ROWS_EACH);
      if (first + VECTORS * LANES <= cols) {
        for (i64 r = row; r < last; r++) {
#pragma GCC unroll 4
          for (int v = 0; v < VECTORS; v++) add(sums[v], r, first + v * LANES, LANES);
        }
      } else {
        for (int v = 0; first + v * LANES < cols; v++) {
          const i64 c = first + v * LANES;
          for (i64 r = row; r < last; r++) add(sums[v], r, c, (int)min<i64>(LANES, cols - c));
        }
      }
      for (int v = 0; v < VECTORS; v++) {
        for (int s = 0; s < SUMS; s++) totals[v][s] += sums[v][s];
      }
    }
    for (int v = 0; v < VECTORS && first + v * LANES < cols; v++) {
      const i64 c = first + v * LANES;
      take(totals[v], c, (int)min<i64>(LANES, cols - c));
    }
  });
}

}  // namespace latentkit::LATENTKIT_ISA
