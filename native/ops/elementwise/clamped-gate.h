// clampedGate: y = (u + 1) g sigmoid(alpha g), gates and up within a limit.
#pragma once
#include "../../core/context.h"
#include "../../core/records.h"
#include "../../simd/simd.h"
#include "../rows/strided.h"

namespace latentkit::LATENTKIT_ISA {

static void clampedGate(Context& context, const ClampedGateRecord& r) {
  // Comparisons keep NaN.
  const F most = set1(r.limit), least = set1(-r.limit);
  eachPiece(context, r.extent, [&](i64 row, i64 first, i64 count) {
    float* to = r.y.floats(r.extent, row) + first;
    const float* from = r.gates.floats(r.extent, row) + first;
    const float* factor = r.up.floats(r.extent, row) + first;
    for (i64 i = 0; i < count; i += LANES) {
      const int lanes = (int)min<i64>(LANES, count - i);
      const F gate = loadPart(from + i, lanes), up = loadPart(factor + i, lanes);
      const F g = gate > most ? most : gate;
      const F below = up > most ? most : up;
      const F u = below < least ? least : below;
      storePart(to + i, (u + 1.0f) * (g * sigmoid(r.alpha * g)), lanes);
    }
  });
}

}  // namespace latentkit::LATENTKIT_ISA
