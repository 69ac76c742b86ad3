// normBackward, normWeightBackward: of rmsNorm and layerNorm.
#pragma once
#include "../../core/context.h"
#include "../../core/records.h"
#include "../../core/scalar.h"
#include "../../simd/simd.h"
#include "../rows/column-sums.h"
#include "../rows/strided.h"
#include "../rows/vectors.h"

namespace latentkit::LATENTKIT_ISA {

static void normBackward(Context& context, const NormBackwardRecord& r) {
  const i64 n = r.extent.n;
  context.each(r.extent.rows(), rowGrain(n), [&](i64 row) {
    const float* x = r.x.floats(r.extent, row);
    const float* dy = r.dy.floats(r.extent, row);
    float* dx = r.dx.floats(r.extent, row);
    F mean = {};
    // Twice: a mean far from zero would be summed too roughly.
    for (int i = 0; r.centred && i < 2; i++) {
      F sums = {};
      eachVector(n, [&](i64 c, int lanes) { sums += onlyLanes(loadLanes(x + c, lanes) - mean, lanes); });
      mean += set1((float)((double)sum(sums) / n));
    }
    // g . h needs 1 / s, which is known when the squares are: g . (x - mean) is summed.
    F squares = {}, gs = {}, along = {};
    eachVector(n, [&](i64 c, int lanes) {
      const F d = onlyLanes(loadLanes(x + c, lanes) - mean, lanes);
      const F g = loadLanes(dy + c, lanes) * loadLanes(r.weight + c, lanes);
      squares = fma(d, d, squares);
      gs += g;
      along = fma(g, d, along);
    });
    const double inverse = 1 / squareRoot((double)sum(squares) / n + r.eps);
    const F norm = set1((float)inverse);
    const F shift = set1(r.centred ? (float)((double)sum(gs) / n) : 0);
    const F slope = set1((float)((double)sum(along) * inverse * inverse / n));
    eachVector(n, [&](i64 c, int lanes) {
      const F d = loadLanes(x + c, lanes) - mean;
      const F g = loadLanes(dy + c, lanes) * loadLanes(r.weight + c, lanes) - shift;
      storeLanes(dx + c, fma(fma(-slope, d, g), norm, loadLanes(dx + c, lanes)), lanes);
    });
    r.stats[2 * row] = mean[0];
    r.stats[2 * row + 1] = norm[0];
  });
}

static void normWeightBackward(Context& context, const NormWeightBackwardRecord& r) {
  const auto put = [](float* to, F x, int lanes) { storeLanes(to, loadLanes(to, lanes) + x, lanes); };
  sumColumns<2>(
      context, r.extent.rows(), r.extent.n,
      [&](F(&sums)[2], i64 row, i64 c, int lanes) {
        const F dy = loadLanes(r.dy.floats(r.extent, row) + c, lanes);
        const F h = (loadLanes(r.x.floats(r.extent, row) + c, lanes) - r.stats[2 * row]) * r.stats[2 * row + 1];
        sums[0] = fma(dy, h, sums[0]);
        sums[1] += dy;
      },
      [&](F(&sums)[2], i64 c, int lanes) {
        put(r.dweight + c, sums[0], lanes);
        if (r.dbias) put(r.dbias + c, sums[1], lanes);
      });
}

}  // namespace latentkit::LATENTKIT_ISA
