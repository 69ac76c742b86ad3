// axpby: y = a x + b z.
#pragma once
#include "../../core/context.h"
#include "../../simd/simd.h"
#include "../rows/strided.h"

namespace latentkit::LATENTKIT_ISA {

static void axpby(Context& context, Args args) {
  const F a = set1(args.real()), b = set1(args.real());
  const bool two = args.flag();
  const Extent extent(args);
  const Strided y(args), x(args), z(args);
  eachPiece(context, extent, [&](i64 r, i64 first, i64 count) {
    float* to = y.floats(extent, r) + first;
    const float* from = x.floats(extent, r) + first;
    const float* other = z.floats(extent, r) + first;
    i64 i = 0;
    if (two) {
      for (; i + LANES <= count; i += LANES) store(to + i, fma(a, load(from + i), b * load(other + i)));
      const int rest = (int)(count - i);
      if (rest) storePart(to + i, fma(a, loadPart(from + i, rest), b * loadPart(other + i, rest)), rest);
    } else {
      for (; i + LANES <= count; i += LANES) store(to + i, a * load(from + i));
      const int rest = (int)(count - i);
      if (rest) storePart(to + i, a * loadPart(from + i, rest), rest);
    }
  });
}

}  // namespace latentkit::LATENTKIT_ISA
