// deltaRule. The columns of a state do not depend on each other: a thread carries some of one head through all tokens of a
// sequence, so that they stay in the nearest cache.
#pragma once
#include "../../core/context.h"
#include "../rows/vectors.h"
#include "state.h"

namespace latentkit::LATENTKIT_ISA {

constexpr int STATE_VECTORS = 2;
constexpr i64 STATE_COLUMNS = STATE_VECTORS * LANES;

static size_t scratchBytes(const DeltaRuleRecord& r) { return r.dk * STATE_COLUMNS * sizeof(float); }

struct DeltaColumns {
  const DeltaRuleRecord& r;
  i64 head, first, count;
  // [dk, STATE_COLUMNS]
  float* state;

  void begin(const float* carried) const {
    for (i64 i = 0; i < r.dk; i++) {
      const float* row = carried ? carried + (head * r.dk + i) * r.dv + first : nullptr;
      for (i64 j = 0; j < STATE_COLUMNS; j++) state[i * STATE_COLUMNS + j] = row && j < count ? row[j] : 0;
    }
  }

  void keep(float* kept) const {
    for (i64 i = 0; i < r.dk; i++) {
      copyBytes(kept + (head * r.dk + i) * r.dv + first, state + i * STATE_COLUMNS, count * sizeof(float));
    }
  }

  // Row `at` of the step. Sums over rows of the state: even and odd ones apart, i rising.
  void token(i64 at) const {
    const i64 shared = head * r.G / r.H;
    const float* q = r.q + at * r.qT + shared * r.qH;
    const float* k = r.k + at * r.kT + shared * r.kH;
    const float* v = r.v + at * r.vT + head * r.vH + first;
    const float* decay = r.decay + at * r.decayT + head * r.decayH;
    const F beta = set1(r.beta[at * r.betaT + head]);
    F known[2][STATE_VECTORS] = {}, found[2][STATE_VECTORS] = {}, e[STATE_VECTORS];
    for (i64 i = 0; i < r.dk; i++) {
      float* row = state + i * STATE_COLUMNS;
      const F factor = set1(decay[r.perChannel ? i : 0]), key = set1(k[i]);
      for (int n = 0; n < STATE_VECTORS; n++) {
        const F s = load(row + n * LANES) * factor;
        store(row + n * LANES, s);
        known[i & 1][n] = fma(s, key, known[i & 1][n]);
      }
    }
    for (int n = 0; n < STATE_VECTORS; n++) {
      const int lanes = (int)max<i64>(0, min<i64>(LANES, count - n * LANES));
      e[n] = beta * (loadLanes(v + n * LANES, lanes) - (known[0][n] + known[1][n]));
    }
    for (i64 i = 0; i < r.dk; i++) {
      float* row = state + i * STATE_COLUMNS;
      const F key = set1(k[i]), query = set1(q[i]);
      for (int n = 0; n < STATE_VECTORS; n++) {
        const F s = fma(key, e[n], load(row + n * LANES));
        store(row + n * LANES, s);
        found[i & 1][n] = fma(s, query, found[i & 1][n]);
      }
    }
    float* o = r.o + at * r.oT + head * r.oH + first;
    for (int n = 0; n < STATE_VECTORS; n++) {
      const int lanes = (int)max<i64>(0, min<i64>(LANES, count - n * LANES));
      storeLanes(o + n * LANES, found[0][n] + found[1][n], lanes);
    }
  }
};

static void deltaRule(Context& context, const DeltaRuleRecord& r) {
  const i64 parts = ceilDiv(r.dv, STATE_COLUMNS);
  i64 begin, end;
  while (context.claim(r.sequences.count * r.H * parts, 1, begin, end)) {
    for (i64 u = begin; u < end; u++) {
      const Sequence sequence(r.sequences, u / (r.H * parts));
      if (sequence.queryCount == 0) continue;
      const StateBlocks state{sequence, r.blockTokens, r.offset};
      const i64 first = u % parts * STATE_COLUMNS;
      const DeltaColumns columns{r, u / parts % r.H, first, min(STATE_COLUMNS, r.dv - first), (float*)context.scratch};
      columns.begin(state.before());
      for (i64 t = 0; t < sequence.queryCount; t++) {
        columns.token(sequence.queryStart + t);
        if (float* kept = state.after(t)) columns.keep(kept);
      }
    }
  }
}

}  // namespace latentkit::LATENTKIT_ISA
