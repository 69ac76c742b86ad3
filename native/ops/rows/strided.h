// Rows of tensors with up to three outer axes and any strides; the last axis has stride 1.
#pragma once
#include "../../core/context.h"
#include "../../simd/simd.h"

namespace latentkit::LATENTKIT_ISA {

struct Extent {
  i64 d0, d1, d2, n;
  INLINE explicit Extent(Args& args) : d0(args.count()), d1(args.count()), d2(args.count()), n(args.count()) {}
  INLINE i64 rows() const { return d0 * d1 * d2; }
};

// Strides are in elements; `bytes` is an element's size.
struct Strided {
  char* base;
  i64 s0, s1, s2;
  INLINE explicit Strided(Args& args)
      : base(args.pointer<char>()), s0(args.count()), s1(args.count()), s2(args.count()) {}
  INLINE char* row(const Extent& extent, i64 r, int bytes) const {
    const i64 i2 = r % extent.d2, r01 = r / extent.d2;
    return base + ((r01 / extent.d1) * s0 + (r01 % extent.d1) * s1 + i2 * s2) * bytes;
  }
  INLINE float* floats(const Extent& extent, i64 r) const { return (float*)row(extent, r, 4); }
};

// Rows a thread takes at a time: enough for about 4096 elements.
INLINE i64 rowGrain(i64 n) { return max<i64>(1, 4096 / max<i64>(1, n)); }

// Calls `call(row, first, count)` for pieces of this thread's rows. A row's elements do not depend on each other.
template <class Call> INLINE void eachPiece(Context& context, const Extent& extent, Call call) {
  constexpr i64 PIECE = 4096;
  const i64 pieces = max<i64>(1, ceilDiv(extent.n, PIECE));
  i64 begin, end;
  while (context.claim(extent.rows() * pieces, pieces > 1 ? 1 : rowGrain(extent.n), begin, end)) {
    for (i64 u = begin; u < end; u++) {
      const i64 start = (u % pieces) * PIECE;
      call(u / pieces, start, min(PIECE, extent.n - start));
    }
  }
}

}  // namespace latentkit::LATENTKIT_ISA
