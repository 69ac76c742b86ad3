// shortConv.
#pragma once
#include "../../core/context.h"
#include "../elementwise/activate.h"
#include "../rows/vectors.h"
#include "state.h"

namespace latentkit::LATENTKIT_ISA {

// Channels that a thread takes at a time.
constexpr i64 CONV_CHANNELS = 256;

// The last K rows, of which a token's own takes the oldest one's place, and the weights by row.
static size_t scratchBytes(const ShortConvRecord& r) { return 2 * r.K * CONV_CHANNELS * sizeof(float); }

struct ConvChannels {
  const ShortConvRecord& r;
  i64 first, count;
  float* rows;
  float* weights;

  INLINE float* row(i64 t) const { return rows + t % r.K * CONV_CHANNELS; }

  void begin(const float* carried) const {
    for (i64 j = 0; j < r.K; j++) {
      for (i64 c = 0; c < CONV_CHANNELS; c++) weights[j * CONV_CHANNELS + c] = c < count ? r.w[(first + c) * r.K + j] : 0;
      for (i64 c = 0; c < CONV_CHANNELS; c++) row(j)[c] = carried && j < r.K - 1 && c < count ? carried[j * r.C + first + c] : 0;
    }
  }

  // Token t of the sequence, which is row `at` of the step. Before it, row j of `rows` is that of token j - K + 1.
  template <bool SILU_OF> void token(i64 t, i64 at) const {
    const float* x = r.x + at * r.xT + first;
    const float* before = r.before ? r.before + at * r.beforeT + first : nullptr;
    const float* after = r.after ? r.after + at * r.afterT + first : nullptr;
    float* y = r.y + at * r.yT + first;
    float* own = row(t + r.K - 1);
    eachVector(count, [&](i64 c, int lanes) {
      F u = loadLanes(x + c, lanes);
      if (before) u = u * loadLanes(before + c, lanes);
      store(own + c, u);
      F z = r.bias ? loadLanes(r.bias + first + c, lanes) : F{};
      for (i64 j = 0; j < r.K; j++) z = fma(load(weights + j * CONV_CHANNELS + c), load(row(t + j) + c), z);
      if constexpr (SILU_OF) z = act<SILU>(z);
      if (after) z = z * loadLanes(after + c, lanes);
      storeLanes(y + c, z, lanes);
    });
  }

  // After token t.
  void keep(i64 t, float* state) const {
    for (i64 j = 0; j < r.K - 1; j++) copyBytes(state + j * r.C + first, row(t + 1 + j), count * sizeof(float));
  }
};

static void shortConv(Context& context, const ShortConvRecord& r) {
  const i64 parts = ceilDiv(r.C, CONV_CHANNELS);
  i64 begin, end;
  while (context.claim(r.sequences.count * parts, 1, begin, end)) {
    for (i64 u = begin; u < end; u++) {
      const Sequence sequence(r.sequences, u / parts);
      const StateBlocks state{sequence, r.blockTokens, r.offset};
      const i64 first = u % parts * CONV_CHANNELS;
      float* scratch = (float*)context.scratch;
      const ConvChannels channels{r, first, min(CONV_CHANNELS, r.C - first), scratch, scratch + r.K * CONV_CHANNELS};
      channels.begin(sequence.queryCount ? state.before() : nullptr);
      for (i64 t = 0; t < sequence.queryCount; t++) {
        if (r.silu) channels.token<true>(t, sequence.queryStart + t);
        else channels.token<false>(t, sequence.queryStart + t);
        if (float* kept = state.after(t)) channels.keep(t, kept);
      }
    }
  }
}

}  // namespace latentkit::LATENTKIT_ISA
