// Where rows of the cache are.
#pragma once
#include "../../core/records.h"
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

INLINE char* rowOf(const SliceRecord& slice, const Sequence& sequence, i64 position) {
  const i64 base = slice.base;
  if (slice.blockTokens == 0) return (char*)(uintptr_t)(base + (position - sequence.keyStart) * slice.rowBytes);
  const i64 block = (i64)sequence.table[position / slice.blockTokens];
  return (char*)(uintptr_t)(block + base + position % slice.blockTokens * slice.rowBytes);
}

// From one head's vector to the next one's. Elements of types with scales are bytes.
INLINE i64 headBytes(const SliceRecord& slice) { return slice.headStride * elementBytes(slice.dtype); }

INLINE i64 vectorBytes(const SliceRecord& slice) { return vectorBytes(slice.dtype, slice.width); }

}  // namespace latentkit::LATENTKIT_ISA
