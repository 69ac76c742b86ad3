// What the arguments of attention say.
#pragma once
#include "../../core/records.h"
#include "../../simd/simd.h"
#include "../cache/slice.h"

namespace latentkit::LATENTKIT_ISA {

struct Attention : AttentionRecord {
  INLINE explicit Attention(const AttentionRecord& record) : AttentionRecord(record) {}

  // Floats of a row of V numbers, padded to whole vectors.
  INLINE i64 paddedV() const { return roundUp(V, LANES); }

  // The values are the beginning of these keys' vectors.
  INLINE bool beginsAs(const SliceRecord& k) const {
    return k.blockTokens == values.blockTokens && k.base == values.base && k.width >= values.width;
  }
  INLINE bool valuesAmongKeys() const {
    for (i64 s = 0; s < keysCount; s++) {
      if (beginsAs(keys[s])) return true;
    }
    return false;
  }

  // Numbers of a key and its value that lie as codes with scales.
  INLINE i64 scaledNumbers() const {
    i64 n = isScaled(values.dtype) ? values.width : 0;
    for (i64 s = 0; s < keysCount; s++) n += isScaled(keys[s].dtype) ? keys[s].width : 0;
    return n;
  }
};

// Whether head h > 0 reads the same vectors of every slice as head h - 1.
static INLINE bool readsAlike(const Attention& a, i64 h) {
  const auto alike = [&](const SliceRecord& slice) { return h * slice.heads / a.H == (h - 1) * slice.heads / a.H; };
  for (i64 s = 0; s < a.keysCount; s++) {
    if (!alike(a.keys[s])) return false;
  }
  return alike(a.values);
}

}  // namespace latentkit::LATENTKIT_ISA
