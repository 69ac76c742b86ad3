// How decoding is split into units that threads take: a span with all heads, so that the rows of the cache are read in
// order. Heads are split into parts only where some threads would be idle otherwise.
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

struct DecodeSplit : SpanRounds {
  i64 queries;
  // Parts of the first `wholeSpans` spans of a round, and of the others.
  i64 parts, lastParts, wholeSpans;

  INLINE i64 units() const { return spansEach == 0 ? lastParts : wholeSpans * parts + (spansEach - wholeSpans) * lastParts; }
};

// Part of a unit's span.
struct DecodeUnit {
  i64 span, part, parts;
  INLINE DecodeUnit(const DecodeSplit& d, i64 unit) {
    const i64 whole = d.wholeSpans * d.parts;
    parts = unit < whole ? d.parts : d.lastParts;
    span = unit < whole ? unit / parts : d.wholeSpans + (unit - whole) / parts;
    part = unit < whole ? unit % parts : (unit - whole) % parts;
  }
};

// Queries of one sequence that are taken one by one, at most, and the keys up to which that is faster (measured: 2 queries of
// MLA up to 500 keys, 4 up to 300): each query reads the keys again, where a prompt's queries share packed ones.
constexpr i64 FEW_QUERIES = 4;
constexpr i64 FEW_KEYS = 384;

// Whether queries are taken one by one: each sequence has one, or a few and few keys, and nothing but the result is asked for.
static INLINE bool singleQueries(const Attention& a) {
  for (i64 b = 0; b < a.sequences.count; b++) {
    const Sequence sequence(a.sequences, b);
    const i64 queries = sequence.queryCount;
    if (queries != 1 && (queries == 0 || queries > FEW_QUERIES || sequence.keyCount > FEW_KEYS)) return false;
  }
  return !a.scores && a.scaledNumbers() == 0;
}

// The queries of all sequences, one after the other; `at` rises from call to call.
struct QueryWalk {
  const Attention& a;
  // Of the sequence, and the first of its queries.
  i64 b = 0, first = 0;
  INLINE explicit QueryWalk(const Attention& a) : a(a) {}
  INLINE Sequence to(i64 at) {
    for (;; b++) {
      const Sequence sequence(a.sequences, b);
      if (at < first + sequence.queryCount) return sequence;
      first += sequence.queryCount;
    }
  }
};

// Every thread comes to the same division.
static INLINE DecodeSplit splitDecode(const Attention& a, const Context& context) {
  DecodeSplit d = {};
  i64 spans = 0, keys = 0;
  for (i64 b = 0; b < a.sequences.count; b++) {
    const Sequence sequence(a.sequences, b);
    const Range range = spansOf(a, sequence, 0, sequence.queryCount);
    d.queries += sequence.queryCount;
    spans = max(spans, range.hi - range.lo);
    keys = max(keys, keysFor(a, sequence, sequence.queryCount - 1).hi - range.lo * SPAN);
  }
  const i64 threads = context.solo ? 1 : context.threads;
  const i64 stateBytes = d.queries * a.H * (a.paddedV() + LANES) * 4;
  d.rounds = 1;
  d.parts = ceilDiv(a.H, maxQueryRows(a));
  if (threads == 1 || spans < 2 || d.queries >= 8 * threads || stateBytes * 4 > (i64)context.sharedBytes) {
    const i64 wanted = threads == 1 ? 1 : d.queries == 1 ? threads : ceilDiv(2 * threads, d.queries);
    d.lastParts = max(d.parts, min(a.H, wanted));
    return d;
  }
  d.spansEach = min(spans, (i64)context.sharedBytes / stateBytes - 1);
  d.rounds = ceilDiv(spans, d.spansEach);
  d.lastParts = d.queries > 1 ? d.parts : max(d.parts, min(a.H, threads));
  // All threads get as many whole spans, about; the rest they share.
  d.wholeSpans = min(d.spansEach, (keys + SPAN / 2) / (SPAN * threads) * threads);
  return d;
}

// The keys that unit `unit` of a round reads first; `walk` has come to a unit before.
static INLINE KeyRun firstKeys(const Block& block, const DecodeSplit& d, QueryWalk walk, i64 unit, i64 round) {
  const Attention& a = *block.attention;
  if (unit >= d.queries * d.units()) return {};
  const DecodeUnit of(d, unit % d.units());
  const i64 at = unit / d.units();
  const Sequence sequence = walk.to(at);
  const i64 first = d.spansEach == 0 ? spansOf(a, sequence, at - walk.first, 1).lo
                                     : spansOf(a, sequence, 0, sequence.queryCount).lo + round * d.spansEach + of.span;
  return keysIn(block, sequence, a.H * of.part / of.parts, first * SPAN);
}

// Runs this thread's share of the units.
template <class N>
static INLINE void runDecodeUnits(const Attention& a, const DecodeSplit& d, Context& context, Block& block, i64 round) {
  const SharedStates states(a, d, context);
  QueryWalk walk(a);
  context.each(d.queries * d.units(), 1, [&](i64 at) {
    const DecodeUnit unit(d, at % d.units());
    const Sequence sequence = walk.to(at / d.units());
    const Range spans = spansOf(a, sequence, 0, sequence.queryCount);
    const i64 span = spans.lo + round * d.spansEach + unit.span;
    if (d.spansEach > 0 && span >= spans.hi) return;
    block.sequence = &sequence;
    block.firstQuery = at / d.units() - walk.first;
    block.firstHead = a.H * unit.part / unit.parts;
    block.rows = block.heads = a.H * (unit.part + 1) / unit.parts - block.firstHead;
    eachSharing(block, [&](i64 row, i64 count, float* queries) { packQueryRows<N>(block, queries, row, count); });
    // Threads take units alternately.
    const KeyRun then = firstKeys(block, d, walk, at + context.threads, round);
    if (d.spansEach == 0) {
      runWhole(block, [&](i64 of, bool last) { decodeSpan<N>(block, of, last ? then : keysIn(block, 0, (of + 1) * SPAN, 0)); });
    } else {
      runShared(block, states, walk.first * a.H, unit.span, [&] { decodeSpan<N>(block, span, then); });
    }
  });
}

}  // namespace latentkit::LATENTKIT_ISA
