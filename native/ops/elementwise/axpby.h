// axpby: y = a x + b z.
#pragma once
#include "../../core/context.h"
#include "../../core/records.h"
#include "../../simd/simd.h"
#include "../rows/strided.h"

namespace latentkit::LATENTKIT_ISA {

static void axpby(Context& context, const AxpbyRecord& r) {
  const F a = set1(r.a), b = set1(r.b);
  eachPiece(context, r.extent, [&](i64 row, i64 first, i64 count) {
    float* to = r.y.floats(r.extent, row) + first;
    const float* from = r.x.floats(r.extent, row) + first;
    const float* other = r.z.floats(r.extent, row) + first;
    i64 i = 0;
    if (r.two) {
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
