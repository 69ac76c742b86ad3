// fill: one number everywhere.
#pragma once
#include "../../core/context.h"
#include "../../core/records.h"
#include "../../simd/simd.h"

namespace latentkit::LATENTKIT_ISA {

static void fill(Context& context, const FillRecord& r) {
  constexpr i64 PIECE = 1 << 14;
  const F value = set1(r.value);
  i64 begin, end;
  while (context.claim(ceilDiv(r.n, PIECE), 1, begin, end)) {
    i64 i = begin * PIECE;
    const i64 stop = min(r.n, end * PIECE);
    for (; i + LANES <= stop; i += LANES) store(r.y + i, value);
    if (i < stop) storePart(r.y + i, value, (int)(stop - i));
  }
}

}  // namespace latentkit::LATENTKIT_ISA
