// Which keys a query sees.
#pragma once
#include "../../simd/simd.h"
#include "../cache/slice.h"
#include "record.h"

namespace latentkit::LATENTKIT_ISA {

struct Range {
  i64 lo, hi;
  INLINE bool empty() const { return lo >= hi; }
};

// The keys that a query at `position` sees.
static INLINE Range visibleKeys(const Attention& a, const Sequence& sequence, i64 position) {
  const i64 end = max(sequence.keyStart, min(sequence.keyEnd(), position + 1));
  const i64 start = a.window < 0 ? sequence.keyStart : max(sequence.keyStart, position - a.window + 1);
  return {min(start, end), end};
}

constexpr i64 TILE = 64;

// One bit per key of a tile.
typedef uint64_t KeySet;

INLINE KeySet keysBelow(i64 k) { return k <= 0 ? 0 : k >= TILE ? ~(KeySet)0 : ((KeySet)1 << k) - 1; }

// The keys of a range that lie in the tile that begins at `start`.
INLINE KeySet keysOf(const Range& range, i64 start) {
  return keysBelow(range.hi - start) & ~keysBelow(range.lo - start);
}

// Calls `call(lo, hi)` for each run of neighbouring keys.
template <class Call> INLINE void eachRun(KeySet keys, Call call) {
  while (keys) {
    const i64 lo = __builtin_ctzll(keys);
    const KeySet ended = ~(keys >> lo);
    const i64 hi = ended ? min<i64>(TILE, lo + __builtin_ctzll(ended)) : TILE;
    call(lo, hi);
    keys &= ~keysBelow(hi);
  }
}

}  // namespace latentkit::LATENTKIT_ISA
