// gate: y = activation(gate) up.
#pragma once
#include "../../core/context.h"
#include "../../core/records.h"
#include "../../simd/simd.h"
#include "../rows/strided.h"
#include "activate.h"

namespace latentkit::LATENTKIT_ISA {

static void gate(Context& context, const GateRecord& r) {
  withActivation(r.activation, [&](auto tag) {
    eachPiece(context, r.extent, [&](i64 row, i64 first, i64 count) {
      float* to = r.y.floats(r.extent, row) + first;
      const float* from = r.gates.floats(r.extent, row) + first;
      const float* factor = r.up.floats(r.extent, row) + first;
      i64 i = 0;
      for (; i + LANES <= count; i += LANES) {
        store(to + i, act<decltype(tag)::value>(load(from + i)) * load(factor + i));
      }
      const int rest = (int)(count - i);
      if (rest) storePart(to + i, act<decltype(tag)::value>(loadPart(from + i, rest)) * loadPart(factor + i, rest), rest);
    });
  });
}

}  // namespace latentkit::LATENTKIT_ISA
