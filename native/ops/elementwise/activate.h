// activate, and the activation functions.
#pragma once
#include "../../core/context.h"
#include "../../simd/simd.h"
#include "../rows/strided.h"

namespace latentkit::LATENTKIT_ISA {

// The numbers are those of `src/kernels/core/codes.ts`.
enum Act : int { SILU, GELU, GELU_TANH, QUICK_GELU, RELU, RELU2, SIGMOID, TANH };

template <Act A> INLINE F act(F x) {
  if constexpr (A == SILU) return x / (1.0f + exponential(-x));
  else if constexpr (A == GELU) return gelu(x);
  else if constexpr (A == GELU_TANH) return geluTanh(x);
  else if constexpr (A == QUICK_GELU) return x * sigmoid(1.702f * x);
  else if constexpr (A == SIGMOID) return sigmoid(x);
  else if constexpr (A == TANH) return hyperbolicTangent(x);
  else {
    const F positive = x < 0.0f ? F{} : x;
    return A == RELU ? positive : positive * positive;
  }
}

template <Act A> struct ActTag {
  static constexpr Act value = A;
};

template <class Call> INLINE void withAct(int code, Call call) {
  switch ((Act)code) {
    case SILU: return call(ActTag<SILU>{});
    case GELU: return call(ActTag<GELU>{});
    case GELU_TANH: return call(ActTag<GELU_TANH>{});
    case QUICK_GELU: return call(ActTag<QUICK_GELU>{});
    case RELU: return call(ActTag<RELU>{});
    case RELU2: return call(ActTag<RELU2>{});
    case SIGMOID: return call(ActTag<SIGMOID>{});
    case TANH: return call(ActTag<TANH>{});
  }
  impossible();
}

static void activate(Context& context, Args args) {
  const int code = args.small();
  const Extent extent(args);
  const Strided y(args), x(args);
  withAct(code, [&](auto tag) {
    eachPiece(context, extent, [&](i64 r, i64 first, i64 count) {
      float* to = y.floats(extent, r) + first;
      const float* from = x.floats(extent, r) + first;
      for (i64 i = 0; i < count; i += LANES) {
        const int lanes = (int)min<i64>(LANES, count - i);
        storePart(to + i, act<decltype(tag)::value>(loadPart(from + i, lanes)), lanes);
      }
    });
  });
}

}  // namespace latentkit::LATENTKIT_ISA
