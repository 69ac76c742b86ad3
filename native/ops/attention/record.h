// The arguments of attention, in the order of its record.
#pragma once
#include "../../core/args.h"
#include "../../simd/simd.h"
#include "../cache/slice.h"

namespace latentkit::LATENTKIT_ISA {

constexpr int MAX_KEY_SLICES = 8;

struct Attention {
  bool exact;  // f32 factors
  float* out;
  i64 outT, outH;
  const float* q;
  i64 qT, qH;
  i64 T, H, V;
  const double* sequences;
  i64 B;
  float scale;
  i64 window;  // negative: none
  const float* sinkLogits;
  float* lse;
  bool carry;
  float* scores;
  i64 scoresH, scoresT, scoresWidth, scoresStart;
  Slice values;
  i64 slices;
  Slice keys[MAX_KEY_SLICES];

  INLINE explicit Attention(Args& args)
      : exact(args.flag()),
        out(args.pointer<float>()),
        outT(args.count()),
        outH(args.count()),
        q(args.pointer<const float>()),
        qT(args.count()),
        qH(args.count()),
        T(args.count()),
        H(args.count()),
        V(args.count()),
        sequences(args.pointer<const double>()),
        B(args.count()),
        scale(args.real()),
        window(args.count()),
        sinkLogits(args.pointer<const float>()),
        lse(args.pointer<float>()),
        carry(args.flag()),
        scores(args.pointer<float>()),
        scoresH(args.count()),
        scoresT(args.count()),
        scoresWidth(args.count()),
        scoresStart(args.count()),
        values(args),
        slices(args.count()) {
    for (i64 s = 0; s < slices; s++) keys[s] = Slice(args);
  }

  // Floats of a row of V numbers, padded to whole vectors.
  INLINE i64 paddedV() const { return roundUp(V, LANES); }

  // The values are the beginning of these keys' vectors.
  INLINE bool beginsAs(const Slice& k) const {
    return k.blockTokens == values.blockTokens && k.base == values.base && k.width >= values.width;
  }
  INLINE bool valuesAmongKeys() const {
    for (i64 s = 0; s < slices; s++) {
      if (beginsAs(keys[s])) return true;
    }
    return false;
  }

  // Numbers of a key and its value that lie as codes with scales.
  INLINE i64 scaledNumbers() const {
    i64 n = isScaled(values.dtype) ? values.width : 0;
    for (i64 s = 0; s < slices; s++) n += isScaled(keys[s].dtype) ? keys[s].width : 0;
    return n;
  }
};

// Whether head h > 0 reads the same vectors of every slice as head h - 1.
static INLINE bool readsAlike(const Attention& a, i64 h) {
  const auto alike = [&](const Slice& slice) { return h * slice.heads / a.H == (h - 1) * slice.heads / a.H; };
  for (i64 s = 0; s < a.slices; s++) {
    if (!alike(a.keys[s])) return false;
  }
  return alike(a.values);
}

}  // namespace latentkit::LATENTKIT_ISA
