// How threads share the rows of tensors.
#pragma once
#include "../../core/context.h"
#include "../../simd/simd.h"

namespace latentkit::LATENTKIT_ISA {

// Rows a thread takes at a time: enough for about 4096 elements.
INLINE i64 rowGrain(i64 n) { return max<i64>(1, 4096 / max<i64>(1, n)); }

// Calls `call(row, first, count)` for pieces of this thread's rows. A row's elements do not depend on each other.
template <class Call> INLINE void eachPiece(Context& context, const Extent& extent, Call call) {
  constexpr i64 PIECE = 4096;
  const i64 pieces = max<i64>(1, ceilDiv(extent.n, PIECE));
  context.each(extent.rows() * pieces, pieces > 1 ? 1 : rowGrain(extent.n), [&](i64 u) {
    const i64 start = (u % pieces) * PIECE;
    call(u / pieces, start, min(PIECE, extent.n - start));
  });
}

}  // namespace latentkit::LATENTKIT_ISA
