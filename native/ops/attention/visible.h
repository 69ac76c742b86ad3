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

// The positions that a query chose, those of keys that it may see, rising.
struct Chosen {
  const int32_t* positions;
  i64 count;
};

// Numbers of a rising list that are below `position`. The list may end in negative numbers.
static INLINE i64 countBelow(const int32_t* list, i64 n, i64 position) {
  i64 lo = 0;
  while (n > 0) {
    const i64 half = n / 2;
    if ((uint32_t)list[lo + half] < (uint32_t)position) {
      lo += half + 1;
      n -= half + 1;
    } else {
      n = half;
    }
  }
  return lo;
}

static INLINE Chosen chosenKeys(const Attention& a, const Sequence& sequence, i64 query) {
  const Range visible = visibleKeys(a, sequence, sequence.position + query);
  const int32_t* list = a.selected + (sequence.queryStart + query) * a.selectedCount;
  const i64 first = visible.lo > 0 ? countBelow(list, a.selectedCount, visible.lo) : 0;
  return {list + first, countBelow(list, a.selectedCount, visible.hi) - first};
}

// The keys that a query looks at: positions, or places in its list where keys are gathered.
static INLINE Range keysFor(const Attention& a, const Sequence& sequence, i64 query) {
  if (a.gather) return {0, chosenKeys(a, sequence, query).count};
  return visibleKeys(a, sequence, sequence.position + query);
}

constexpr i64 TILE = 64;

// One bit per key of a tile.
typedef uint64_t KeySet;

INLINE KeySet keysBelow(i64 k) { return k <= 0 ? 0 : k >= TILE ? ~(KeySet)0 : ((KeySet)1 << k) - 1; }

// The keys of a range that lie in the tile that begins at `start`.
INLINE KeySet keysOf(const Range& range, i64 start) {
  return keysBelow(range.hi - start) & ~keysBelow(range.lo - start);
}

// Those of the tile that begins at `start` that a query sees; `keys`: what `keysFor` says of it.
static INLINE KeySet keysSeen(const Attention& a, const Sequence& sequence, i64 query, const Range& keys, i64 start) {
  const KeySet seen = keysOf(keys, start);
  if (!a.selected || a.gather || !seen) return seen;
  const int32_t* list = a.selected + (sequence.queryStart + query) * a.selectedCount;
  KeySet chosen = 0;
  for (i64 i = countBelow(list, a.selectedCount, start); i < a.selectedCount; i++) {
    const i64 k = (i64)(uint32_t)list[i] - start;
    if (k >= TILE) break;
    chosen |= (KeySet)1 << k;
  }
  return seen & chosen;
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
