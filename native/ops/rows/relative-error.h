// relativeError: the squared distance of each row from the wanted one, as a share of that one's square, and its gradient.
#pragma once
#include "../../core/context.h"
#include "../../core/records.h"
#include "../../simd/simd.h"
#include "vectors.h"

namespace latentkit::LATENTKIT_ISA {

static void relativeError(Context& context, const RelativeErrorRecord& r) {
  const i64 D = r.D;
  context.each(r.T, 1, [&](i64 t) {
    const float* x = r.x + t * D;
    const float* w = r.wanted + t * D;
    float* to = r.dx + t * D;
    F energies = {}, errors = {};
    eachVector(D, [&](i64 i, int lanes) {
      const F a = loadLanes(w + i, lanes), off = loadLanes(x + i, lanes) - a;
      energies = fma(a, a, energies);
      errors = fma(off, off, errors);
    });
    const double energy = (double)sum(energies);
    r.loss[t] = energy == 0 ? 0 : (float)((double)sum(errors) / energy);
    if (energy == 0) return;
    const F by = set1((float)(2 * r.scale / energy));
    eachVector(D, [&](i64 i, int lanes) {
      const F off = loadLanes(x + i, lanes) - loadLanes(w + i, lanes);
      storeLanes(to + i, fma(off, by, loadLanes(to + i, lanes)), lanes);
    });
  });
}

}  // namespace latentkit::LATENTKIT_ISA
