// gate: y = activation(gate) up.
#pragma once
#include "../../core/context.h"
#include "../../simd/simd.h"
#include "../rows/strided.h"
#include "activate.h"

namespace latentkit::LATENTKIT_ISA {

static void gate(Context& context, Args args) {
  const int code = args.small();
  const Extent extent(args);
  const Strided y(args), gates(args), up(args);
  withAct(code, [&](auto tag) {
    eachPiece(context, extent, [&](i64 r, i64 first, i64 count) {
      float* to = y.floats(extent, r) + first;
      const float* from = gates.floats(extent, r) + first;
      const float* factor = up.floats(extent, r) + first;
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
