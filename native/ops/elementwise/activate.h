// activate, and the activation functions.
#pragma once
#include "../../core/context.h"
#include "../../core/records.h"
#include "../../simd/simd.h"
#include "../rows/strided.h"

namespace latentkit::LATENTKIT_ISA {

template <Activation A> INLINE F act(F x) {
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

template <Activation A> struct ActivationTag {
  static constexpr Activation value = A;
};

template <class Call> INLINE void withActivation(Activation activation, Call call) {
  switch (activation) {
    case SILU: return call(ActivationTag<SILU>{});
    case GELU: return call(ActivationTag<GELU>{});
    case GELU_TANH: return call(ActivationTag<GELU_TANH>{});
    case QUICK_GELU: return call(ActivationTag<QUICK_GELU>{});
    case RELU: return call(ActivationTag<RELU>{});
    case RELU2: return call(ActivationTag<RELU2>{});
    case SIGMOID: return call(ActivationTag<SIGMOID>{});
    case TANH: return call(ActivationTag<TANH>{});
  }
  impossible();
}

static void activate(Context& context, const ActivateRecord& r) {
  withActivation(r.activation, [&](auto tag) {
    eachPiece(context, r.extent, [&](i64 row, i64 first, i64 count) {
      float* to = r.y.floats(r.extent, row) + first;
      const float* from = r.x.floats(r.extent, row) + first;
      for (i64 i = 0; i < count; i += LANES) {
        const int lanes = (int)min<i64>(LANES, count - i);
        storePart(to + i, act<decltype(tag)::value>(loadPart(from + i, lanes)), lanes);
      }
    });
  });
}

}  // namespace latentkit::LATENTKIT_ISA
