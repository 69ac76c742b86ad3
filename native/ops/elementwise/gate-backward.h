// gateBackward.
#pragma once
#include "../../core/context.h"
#include "../../core/records.h"
#include "../../simd/simd.h"
#include "../rows/strided.h"
#include "../rows/vectors.h"
#include "activate-backward.h"
#include "activate.h"

namespace latentkit::LATENTKIT_ISA {

static void gateBackward(Context& context, const GateBackwardRecord& r) {
  withActivation(r.activation, [&](auto tag) {
    constexpr Activation A = decltype(tag)::value;
    eachPiece(context, r.extent, [&](i64 row, i64 first, i64 count) {
      float* dgates = r.dgates.floats(r.extent, row) + first;
      float* dup = r.dup.floats(r.extent, row) + first;
      const float* dy = r.dy.floats(r.extent, row) + first;
      const float* gates = r.gates.floats(r.extent, row) + first;
      const float* up = r.up.floats(r.extent, row) + first;
      eachVector(count, [&](i64 i, int lanes) {
        const F x = loadLanes(gates + i, lanes), d = loadLanes(dy + i, lanes);
        const F before = r.add ? loadLanes(dgates + i, lanes) : F{}, upBefore = r.add ? loadLanes(dup + i, lanes) : F{};
        storeLanes(dgates + i, fma(d * loadLanes(up + i, lanes), slope<A>(x), before), lanes);
        storeLanes(dup + i, fma(d, act<A>(x), upBefore), lanes);
      });
    });
  });
}

}  // namespace latentkit::LATENTKIT_ISA
