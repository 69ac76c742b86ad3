// How a prompt's attention is split into units that threads take: blocks of query rows and, where those are too few, spans
// of keys as well.
#pragma once
#include "../../../core/context.h"
#include "../../../simd/simd.h"
#include "../../cache/slice.h"
#include "../block.h"
#include "../record.h"
#include "../states.h"
#include "../visible.h"
#include "span.h"

namespace latentkit::LATENTKIT_ISA {

struct HeadBlock {
  i64 first, count;
};

struct PrefillSplit : SpanRounds {
  HeadBlock* headBlocks;
  i64 blocks;
  i64 queriesEach;
  // Neighbouring spans of a unit: what one fetches ahead, the same thread's next one finds.
  i64 spansRun;

  INLINE i64 runs() const { return spansEach == 0 ? 1 : ceilDiv(spansEach, spansRun); }

  INLINE i64 queryBlocks(const Sequence& sequence) const { return ceilDiv(sequence.queryCount, queriesEach); }
};

// Neighbouring heads that read the same vectors of every slice, in blocks of at most `limit` heads.
static INLINE i64 splitHeads(const Attention& a, HeadBlock* blocks, i64 limit) {
  i64 count = 0;
  for (i64 h = 0; h < a.H; h++) {
    if (h == 0 || blocks[count - 1].count == limit || !readsAlike(a, h)) blocks[count++] = {h, 0};
    blocks[count - 1].count++;
  }
  return count;
}

// Every thread comes to the same division.
static INLINE PrefillSplit splitPrefill(const Attention& a, const Context& context, HeadBlock* headBlocks) {
  PrefillSplit d = {};
  d.headBlocks = headBlocks;
  i64 queries = 0, longest = 0, spans = 0;
  for (i64 b = 0; b < a.sequences.count; b++) {
    const Sequence sequence(a.sequences, b);
    const Range range = spansOf(a, sequence, 0, sequence.queryCount);
    queries += sequence.queryCount;
    longest = max(longest, sequence.queryCount);
    spans = max(spans, range.hi - range.lo);
  }
  const i64 wanted = 2 * context.threads;
  const i64 stateBytes = queries * a.H * (a.paddedV() + LANES) * 4;
  // 4 states of every row must fit, else rounds would be too short.
  const bool maySplitSpans = !context.solo && !a.scores && spans > 1 && stateBytes * 4 <= (i64)context.sharedBytes;
  for (i64 limit = maxQueryRows(a);; limit /= 2) {
    d.blocks = splitHeads(a, headBlocks, limit);
    d.queriesEach = max<i64>(1, min(longest, maxQueryRows(a) / headBlocks[0].count));
    i64 units = 0;
    for (i64 b = 0; b < a.sequences.count; b++) units += d.blocks * d.queryBlocks(Sequence(a.sequences, b));
    const bool splitSpans = maySplitSpans && units < 4 * wanted;
    d.spansEach = splitSpans ? min(spans, (i64)context.sharedBytes / stateBytes - 1) : 0;
    d.rounds = splitSpans ? ceilDiv(spans, d.spansEach) : 1;
    d.spansRun = max<i64>(1, min<i64>(8, units * d.spansEach / (4 * context.threads)));
    if (context.solo || limit <= PANEL_MR || units * max<i64>(1, d.spansEach) >= wanted) return d;
  }
}

// Runs this thread's share of the blocks, or of the (block, span) pairs of a round.
template <class N>
static INLINE void runPrefillUnits(const Attention& a, const PrefillSplit& d, Context& context, Block& block, i64 round) {
  const SharedStates states(a, d, context);
  const auto unitsOf = [&](i64 b) { return d.blocks * d.queryBlocks(Sequence(a.sequences, b)) * d.runs(); };
  i64 total = 0, b = 0, before = 0, rowsBefore = 0;
  for (i64 i = 0; i < a.sequences.count; i++) total += unitsOf(i);
  context.each(total, 1, [&](i64 at) {
    while (at >= before + unitsOf(b)) {
      before += unitsOf(b);
      rowsBefore += Sequence(a.sequences, b++).queryCount * a.H;
    }
    const Sequence sequence(a.sequences, b);
    const i64 unit = at - before, firstSpan = unit % d.runs() * d.spansRun;
    // Blocks with the same keys follow each other, those that see most of them first.
    const HeadBlock heads = d.headBlocks[unit / d.runs() / d.queryBlocks(sequence)];
    const i64 queryBlock = d.queryBlocks(sequence) - 1 - unit / d.runs() % d.queryBlocks(sequence);
    block.sequence = &sequence;
    block.heads = heads.count;
    block.firstHead = heads.first;
    block.firstQuery = queryBlock * d.queriesEach;
    block.rows = min(d.queriesEach, sequence.queryCount - block.firstQuery) * heads.count;
    packQueryRows<N>(block, block.queries, 0, block.rows);
    if (d.spansEach == 0) {
      runWhole(block, [&](i64 span, bool) { prefillSpan<N>(block, span, span + 1); });
      return;
    }
    const i64 first = spansOf(a, sequence, 0, sequence.queryCount).lo + round * d.spansEach;
    const i64 last = min(min(d.spansEach, firstSpan + d.spansRun), spansOf(a, sequence, 0, sequence.queryCount).hi - first);
    for (i64 s = firstSpan; s < last; s++) {
      // Threads take runs alternately.
      const i64 next = s + 1 < last ? s + 1 : s + 1 + (context.threads - 1) * d.spansRun;
      runShared(block, states, rowsBefore, s, [&] { prefillSpan<N>(block, first + s, first + next); });
    }
  });
}

}  // namespace latentkit::LATENTKIT_ISA
