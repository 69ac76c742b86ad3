// Where rows of the cache are.
#pragma once
#include "../../core/records.h"
#include "../../simd/simd.h"
#include "scaled-vectors.h"

namespace latentkit::LATENTKIT_ISA {

struct Sequence {
  i64 queryStart, queryCount, position, keyStart, keyCount;
  // Ids of its blocks; addresses of blocks by id.
  const int32_t* table;
  const uint64_t* blocks;
  INLINE Sequence(const SequencesRecord& sequences, i64 b) {
    const int32_t* f = sequences.rows + b * 6;
    queryStart = f[0];
    queryCount = f[1];
    position = f[2];
    keyStart = f[3];
    keyCount = f[4];
    table = sequences.tables + f[5];
    blocks = (const uint64_t*)(uintptr_t)*sequences.directory;
  }
  INLINE i64 keyEnd() const { return keyStart + keyCount; }
};

INLINE char* rowOf(const SliceRecord& slice, const Sequence& sequence, i64 position) {
  const i64 base = slice.base;
  if (slice.blockTokens == 0) return (char*)(uintptr_t)(base + (position - sequence.keyStart) * slice.rowBytes);
  const i64 block = (i64)sequence.blocks[sequence.table[position / slice.blockTokens]];
  return (char*)(uintptr_t)(block + base + position % slice.blockTokens * slice.rowBytes);
}

// From one head's vector to the next one's. Elements of types with scales are bytes.
INLINE i64 headBytes(const SliceRecord& slice) { return slice.headStride * elementBytes(slice.dtype); }

INLINE i64 vectorBytes(const SliceRecord& slice) { return vectorBytes(slice.dtype, slice.width); }

}  // namespace latentkit::LATENTKIT_ISA
