// attention: queries against the rows of the cache.
#pragma once
#include "../../core/context.h"
#include "../../core/records.h"
#include "../../simd/simd.h"
#include "../cache/slice.h"
#include "block.h"
#include "decode/units.h"
#include "numbers.h"
#include "prefill/units.h"
#include "record.h"
#include "states.h"

namespace latentkit::LATENTKIT_ISA {

static size_t scratchBytes(const AttentionRecord& record) {
  const Attention a(record);
  Block block;
  return carveScratch<AsF32>(block, a, nullptr) + (size_t)a.H * sizeof(HeadBlock) + 64;
}

static size_t sharedBytes(const AttentionRecord&) { return SPAN_STATES; }

// How many keys there are is known only here.
static double work(const AttentionRecord& a) {
  double pairs = 0, width = (double)a.V;
  for (i64 b = 0; b < a.sequences.count; b++) {
    const Sequence sequence(a.sequences, b);
    const i64 keys = a.gather ? min(sequence.keyCount, a.selectedCount) : sequence.keyCount;
    pairs += (double)sequence.queryCount * (double)keys;
  }
  for (i64 s = 0; s < a.keysCount; s++) width += (double)a.keys[s].width;
  return pairs * (double)a.H * width;
}

template <class N> static INLINE void attentionAs(Context& context, const Attention& a) {
  Block block;
  const size_t used = carveScratch<N>(block, a, context.scratch);
  // A round is two phases: the states of its spans, and taking them into the totals.
  const auto run = [&](const auto& d, auto runShare) {
    const i64 round = context.phase / 2;
    context.more = context.phase + 1 < 2 * d.rounds && d.spansEach > 0;
    if (context.phase % 2) mergeRound(a, d, context, round);
    else runShare(d, round);
  };
  if (singleQueries(a)) {
    run(splitDecode(a, context), [&](const DecodeSplit& d, i64 round) { runDecodeUnits<N>(a, d, context, block, round); });
  } else {
    run(splitPrefill(a, context, (HeadBlock*)(context.scratch + used)),
        [&](const PrefillSplit& d, i64 round) { runPrefillUnits<N>(a, d, context, block, round); });
  }
}

static void attention(Context& context, const AttentionRecord& record) {
  const Attention a(record);
#ifdef LATENTKIT_BF16_PAIRS
  if (!a.exact) return attentionAs<AsBf16>(context, a);
#endif
  attentionAs<AsF32>(context, a);
}

}  // namespace latentkit::LATENTKIT_ISA
