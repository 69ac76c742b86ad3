// gateBackward.
#pragma once
#include "../../core/context.h"
#include "../../core/records.h"
#include "../../simd/simd.h"
#include "../rows/strided.h"
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
      for (i64 i = 0; i < count; i += LANES) {
        const int lanes = (int)min<i64>(LANES, count - i);
        const F x = loadPart(gates + i, lanes), d = loadPart(dy + i, lanes);
        storePart(dgates + i, fma(d * loadPart(up + i, lanes), slope<A>(x), loadPart(dgates + i, lanes)), lanes);
        storePart(dup + i, fma(d, act<A>(x), loadPart(dup + i, lanes)), lanes);
      }
    });
  });
}

}  // namespace latentkit::LATENTKIT_ISA
