// activateBackward, and the slopes of the activation functions.
#pragma once
#include "../../core/context.h"
#include "../../core/records.h"
#include "../../simd/simd.h"
#include "../rows/strided.h"
#include "../rows/vectors.h"
#include "activate.h"

namespace latentkit::LATENTKIT_ISA {

// sigmoid(x) and sigmoid(-x), each to about 1e-7 relative.
struct Sigmoids {
  F of, ofMinus;
  INLINE explicit Sigmoids(F x) {
    const F e = exponential(-(F)((I)x & 0x7fffffff));
    const F large = 1.0f / (1.0f + e), small = e * large;
    of = x < 0.0f ? small : large;
    ofMinus = x < 0.0f ? large : small;
  }
};

// d act(x) / dx.
template <Activation A> INLINE F slope(F x) {
  if constexpr (A == SILU) {
    const Sigmoids s(x);
    return s.of * fma(x, s.ofMinus, set1(1));
  } else if constexpr (A == GELU) {
    const F tail = 0.5f * complementaryError((F)((I)x & 0x7fffffff) * 0.70710678118654752f);
    const F density = exponential(-0.5f * x * x) * 0.3989422804014327f;
    return fma(x, density, x < 0.0f ? tail : 1.0f - tail);
  } else if constexpr (A == GELU_TANH) {
    const F square = x * x;
    const Sigmoids s(1.5957691216057308f * fma(square * x, set1(0.044715f), x));
    const F bend = x * s.of * s.ofMinus;
    // Where the square is infinite, the rest is 0 but for infinite x.
    return s.of + (bend == 0.0f ? bend : bend * 1.5957691216057308f * fma(square, set1(0.134145f), set1(1)));
  } else if constexpr (A == QUICK_GELU) {
    const Sigmoids s(1.702f * x);
    // The factors in this order: no product overflows where the other factor is 0.
    return fma(s.of * x, 1.702f * s.ofMinus, s.of);
  } else if constexpr (A == SIGMOID) {
    const Sigmoids s(x);
    return s.of * s.ofMinus;
  } else if constexpr (A == TANH) {
    const Sigmoids s(x + x);
    return 4.0f * s.of * s.ofMinus;
  } else if constexpr (A == RELU) {
    return x > 0.0f ? set1(1) : F{};
  } else {
    static_assert(A == RELU2);
    return x < 0.0f ? F{} : x + x;
  }
}

static void activateBackward(Context& context, const ActivateBackwardRecord& r) {
  withActivation(r.activation, [&](auto tag) {
    eachPiece(context, r.extent, [&](i64 row, i64 first, i64 count) {
      float* to = r.dx.floats(r.extent, row) + first;
      const float* dy = r.dy.floats(r.extent, row) + first;
      const float* from = r.x.floats(r.extent, row) + first;
      eachVector(count, [&](i64 i, int lanes) {
        const F by = slope<decltype(tag)::value>(loadLanes(from + i, lanes));
        storeLanes(to + i, fma(loadLanes(dy + i, lanes), by, loadLanes(to + i, lanes)), lanes);
      });
    });
  });
}

}  // namespace latentkit::LATENTKIT_ISA
