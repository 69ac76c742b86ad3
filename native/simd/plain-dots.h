// The integer dot product of headers without an instruction for it, on the compiler's vector types.
#pragma once
#include "generic.h"

namespace latentkit::LATENTKIT_ISA {

INLINE Bytes lookup(const u8* table, Bytes codes) {
  for (int i = 0; i < LANES * 4; i++) codes[i] = table[codes[i]];
  return codes;
}

constexpr int PACKED_MR = 2, PACKED_NP = 1, PACKED_ONE = 1;
constexpr int WIDE_OFFSET = 128;
struct Four {
  int32_t x[4];
};
typedef I Dots;
template <bool> INLINE Four spread(const int8_t* step, int j) {
  const int8_t* x = step + 4 * j;
  return {{x[0], x[1], x[2], x[3]}};
}
INLINE Dots dots(int32_t start) { return I{} + start; }
template <bool WIDE> INLINE Dots dot4(Dots sum, Bytes w, Four x) {
  const U codes = (U)w;
  sum += (I)(codes & 255) * x.x[0];
  sum += (I)((codes >> 8) & 255) * x.x[1];
  sum += (I)((codes >> 16) & 255) * x.x[2];
  return sum + (I)(codes >> 24) * x.x[3];
}
INLINE I dotTotals(Dots sum) { return sum; }

}  // namespace latentkit::LATENTKIT_ISA
