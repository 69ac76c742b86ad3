// sumSquares.
#pragma once
#include "../../core/context.h"
#include "../../core/records.h"
#include "../../simd/simd.h"

namespace latentkit::LATENTKIT_ISA {

// Numbers of one sum (SQUARES_EACH of the contract), and of the parts that are summed in f32.
constexpr i64 SQUARES_EACH = 65536, SQUARES_PART = 64 * LANES;

static void sumSquares(Context& context, const SumSquaresRecord& r) {
  context.each(ceilDiv(r.n, SQUARES_EACH), 1, [&](i64 block) {
    const i64 last = min(r.n, (block + 1) * SQUARES_EACH);
    double total = 0;
    for (i64 first = block * SQUARES_EACH; first < last; first += SQUARES_PART) {
      const i64 n = min(SQUARES_PART, last - first);
      const float* x = r.x + first;
      F sums[4] = {};
      i64 i = 0;
      for (; i + 4 * LANES <= n; i += 4 * LANES) {
#pragma GCC unroll 4
        for (int v = 0; v < 4; v++) {
          const F part = load(x + i + v * LANES);
          sums[v] = fma(part, part, sums[v]);
        }
      }
      for (; i < n; i += LANES) {
        const F part = loadPart(x + i, (int)min<i64>(LANES, n - i));
        sums[0] = fma(part, part, sums[0]);
      }
      total += (double)sum((sums[0] + sums[1]) + (sums[2] + sums[3]));
    }
    r.y[block] = (float)total;
  });
}

}  // namespace latentkit::LATENTKIT_ISA
