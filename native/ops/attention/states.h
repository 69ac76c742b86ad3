// The states of a block's spans: taken into the total one after the other by the thread that computes them, or kept in
// the pool's shared memory where threads share the spans of a row.
#pragma once
#include "../../core/context.h"
#include "../../simd/simd.h"
#include "../cache/slice.h"
#include "block.h"
#include "record.h"
#include "row-state.h"
#include "visible.h"

namespace latentkit::LATENTKIT_ISA {

// Bytes for the states of spans; more spans than fit are taken in rounds.
constexpr size_t SPAN_STATES = 16 << 20;

struct SpanRounds {
  // Spans of a round; 0: a block runs all its spans.
  i64 spansEach, rounds;
};

// First and last span in which some query of the sequence sees a key.
static INLINE Range spansOf(const Attention& a, const Sequence& sequence, i64 firstQuery, i64 queries) {
  if (queries == 0) return {0, 0};
  const i64 lo = keysFor(a, sequence, firstQuery).lo, hi = keysFor(a, sequence, firstQuery + queries - 1).hi;
  return lo < hi ? Range{lo / SPAN, ceilDiv(hi, SPAN)} : Range{0, 0};
}

// Captured scores of keys that are not seen.
static INLINE void fillScores(const Block& block) {
  const Attention& a = *block.attention;
  if (!a.scores) return;
  const i64 lo = max<i64>(0, block.sequence->keyStart - a.scoresStart);
  const i64 hi = min(a.scoresWidth, block.sequence->keyEnd() - a.scoresStart);
  for (i64 r = 0; r < block.rows; r++) {
    float* to = a.scores + block.headOf(r) * a.scoresH + block.tokenOf(r) * a.scoresT;
    for (i64 c = lo; c < hi; c++) to[c] = -INFINITY_F32;
  }
}

// Runs all spans of a block; `run(span, last)` one of them.
template <class RunSpan> static INLINE void runWhole(Block& block, RunSpan run) {
  const Attention& a = *block.attention;
  const i64 V = a.paddedV();
  fillScores(block);
  for (i64 r = 0; r < block.rows; r++) {
    initTotal(a, block.tokenOf(r), block.headOf(r), block.totalMax[r], block.totalSum[r], block.total + r * V);
    block.out[r] = block.own + r * V;
  }
  const Range spans = spansOf(a, *block.sequence, block.firstQuery, block.rows / block.heads);
  for (i64 span = spans.lo; span < spans.hi; span++) {
    run(span, span + 1 == spans.hi);
    for (i64 r = 0; r < block.rows; r++) {
      mergeState(block.totalMax[r], block.totalSum[r], block.total + r * V, block.max[r], block.sum[r], block.out[r], V);
    }
  }
  for (i64 r = 0; r < block.rows; r++) {
    finishRow(a, block.tokenOf(r), block.headOf(r), block.totalMax[r], block.totalSum[r], block.total + r * V);
  }
}

// States in shared memory: row (query, head) has one for its total, then one for each span of the round; each is
// [max, sum, padding, out].
struct SharedStates {
  float* base;
  i64 spans, stride;
  INLINE SharedStates(const Attention& a, const SpanRounds& d, const Context& context)
      : base((float*)context.shared), spans(d.spansEach), stride(a.paddedV() + LANES) {}
  INLINE float* total(i64 row) const { return base + row * (spans + 1) * stride; }
  INLINE float* span(i64 row, i64 s) const { return total(row) + (s + 1) * stride; }
};

static INLINE void mergeRound(const Attention& a, const SpanRounds& d, Context& context, i64 round) {
  const SharedStates states(a, d, context);
  i64 b = 0, before = 0, rows = 0;
  for (i64 i = 0; i < a.sequences.count; i++) rows += Sequence(a.sequences, i).queryCount * a.H;
  context.each(rows, 1, [&](i64 row) {
    while (row >= before + Sequence(a.sequences, b).queryCount * a.H) {
      before += Sequence(a.sequences, b++).queryCount * a.H;
    }
    const Sequence sequence(a.sequences, b);
    const i64 query = (row - before) / a.H, h = (row - before) % a.H;
    const Range spans = spansOf(a, sequence, 0, sequence.queryCount);
    float* total = states.total(row);
    const i64 t = sequence.queryStart + query;
    if (round == 0) initTotal(a, t, h, total[0], total[1], total + LANES);
    for (i64 s = 0; s < d.spansEach && spans.lo + round * d.spansEach + s < spans.hi; s++) {
      const float* state = states.span(row, s);
      mergeState(total[0], total[1], total + LANES, state[0], state[1], state + LANES, a.paddedV());
    }
    if (round == d.rounds - 1) {
      finishRow(a, t, h, total[0], total[1], total + LANES);
    }
  });
}

// Runs a span, the s-th of the round, of a block whose state other threads' will meet.
template <class RunSpan> static INLINE void runShared(Block& block, const SharedStates& states, i64 firstRow, i64 s, RunSpan run) {
  const i64 H = block.attention->H;
  const auto at = [&](i64 r) { return states.span(firstRow + block.queryOf(r) * H + block.headOf(r), s); };
  for (i64 r = 0; r < block.rows; r++) block.out[r] = at(r) + LANES;
  run();
  for (i64 r = 0; r < block.rows; r++) {
    at(r)[0] = block.max[r];
    at(r)[1] = block.sum[r];
  }
}

}  // namespace latentkit::LATENTKIT_ISA
