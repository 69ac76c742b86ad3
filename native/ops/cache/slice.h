// Where rows of the cache are.
#pragma once
#include "../../core/args.h"
#include "../../simd/simd.h"
#include "scaled-vectors.h"

namespace latentkit::LATENTKIT_ISA {

struct Sequence {
  i64 queryStart, queryCount, position, keyStart, keyCount;
  const double* table;
  INLINE Sequence(const double* sequences, i64 b) {
    const double* f = sequences + b * 6;
    queryStart = (i64)f[0];
    queryCount = (i64)f[1];
    position = (i64)f[2];
    keyStart = (i64)f[3];
    keyCount = (i64)f[4];
    table = (const double*)(uintptr_t)f[5];
  }
  INLINE i64 keyEnd() const { return keyStart + keyCount; }
};

// A slice of every row: `heads` vectors of `width` elements.
struct Slice {
  // 0: contiguous rows from `base` on, the first at keyStart.
  i64 blockTokens;
  // Of the contiguous rows; or bytes from a block's address to this layer's first row. The slice's offset included.
  i64 base;
  i64 rowBytes;
  Dtype dtype;
  i64 heads, width, headStride;
  INLINE Slice() {}
  INLINE explicit Slice(Args& args)
      : blockTokens(args.count()),
        base(args.count()),
        rowBytes(args.count()),
        dtype(args.dtype()),
        heads(args.count()),
        width(args.count()),
        headStride(args.count()) {}

  INLINE char* row(const Sequence& sequence, i64 position) const {
    if (blockTokens == 0) return (char*)(uintptr_t)(base + (position - sequence.keyStart) * rowBytes);
    const i64 block = (i64)sequence.table[position / blockTokens];
    return (char*)(uintptr_t)(block + base + position % blockTokens * rowBytes);
  }
  // Elements of types with scales are bytes.
  INLINE i64 headBytes() const { return headStride * elementBytes(dtype); }
  INLINE i64 bytes() const { return vectorBytes(dtype, width); }
};

}  // namespace latentkit::LATENTKIT_ISA
