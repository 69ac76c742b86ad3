// Where the state of a sequence is read and kept: its table has the block with the state before its first token, then one
// for each cache block that its tokens fall into.
#pragma once
#include "../../core/records.h"
#include "../cache/slice.h"

namespace latentkit::LATENTKIT_ISA {

struct StateBlocks {
  const Sequence& sequence;
  i64 blockTokens, offset;

  INLINE float* at(int32_t id) const {
    return blockTokens && id ? (float*)(uintptr_t)((i64)sequence.blocks[id] + offset) : nullptr;
  }
  // Null: it is zeros.
  INLINE const float* before() const { return blockTokens ? at(sequence.table[0]) : nullptr; }
  // Of the state after token t; null: nobody keeps it.
  INLINE float* after(i64 t) const {
    if (!blockTokens) return nullptr;
    const i64 end = sequence.position + t + 1;
    if (end % blockTokens && t != sequence.queryCount - 1) return nullptr;
    return at(sequence.table[1 + (end - 1) / blockTokens - sequence.position / blockTokens]);
  }
};

}  // namespace latentkit::LATENTKIT_ISA
