// pack: a file's blocks into tiles. (ggml's block formats; src/quant says what they mean.)
#pragma once
#include "../../core/context.h"
#include "../../core/records.h"
#include "../../simd/simd.h"
#include "formats.h"

namespace latentkit::LATENTKIT_ISA {

// One row's codes of a step, four columns to a word, and its scales, from the file's blocks.
template <Dtype TYPE> struct Blocks;

// Four codes at once, in the bytes of a word.
struct Codes {
  uint32_t words[STEP / 4];
};

INLINE uint32_t word(const u8* from) { return bitsAs<uint32_t>(*(const FourBytes*)from); }
// Bit i of the lowest four as the lowest bit of byte i.
INLINE uint32_t spreadBits(uint32_t bits) { return ((bits & 15) * 0x00204081u) & 0x01010101u; }

// 16 bytes of nibbles: the low ones are columns 0 .. 16, the high ones the others.
INLINE Codes halvesOf(const u8* pairs) {
  Codes c;
  for (int j = 0; j < 4; j++) {
    c.words[j] = word(pairs + 4 * j) & 0x0f0f0f0fu;
    c.words[4 + j] = word(pairs + 4 * j) >> 4 & 0x0f0f0f0fu;
  }
  return c;
}

// Blocks of 32: [head][fifth bits?][nibbles].
template <int HEAD, bool FIFTH> struct NibbleBlocks {
  static constexpr int BYTES = HEAD + (FIFTH ? 4 : 0) + 16;
  static INLINE Codes codes(const u8* row, i64 step) {
    const u8* at = row + step * BYTES;
    Codes c = halvesOf(at + BYTES - 16);
    for (int j = 0; FIFTH && j < 8; j++) c.words[j] |= spreadBits(word(at + HEAD) >> (4 * j)) << 4;
    return c;
  }
  static INLINE const u8* head(const u8* row, i64 step) { return row + step * BYTES; }
};
template <> struct Blocks<Q4_0> : NibbleBlocks<2, false> {};
template <> struct Blocks<Q4_1> : NibbleBlocks<4, false> {};
template <> struct Blocks<Q5_0> : NibbleBlocks<2, true> {};
template <> struct Blocks<Q5_1> : NibbleBlocks<4, true> {};
template <> struct Blocks<IQ4_NL> : NibbleBlocks<2, false> {};
template <> struct Blocks<MXFP4> : NibbleBlocks<1, false> {};

template <> struct Blocks<Q8_0> {
  static constexpr int BYTES = 34;
  static INLINE Codes codes(const u8* row, i64 step) {
    Codes c;
    for (int j = 0; j < 8; j++) c.words[j] = word(row + step * BYTES + 2 + 4 * j) ^ 0x80808080u;
    return c;
  }
  static INLINE const u8* head(const u8* row, i64 step) { return row + step * BYTES; }
};

// A byte of four codes, the first lowest, as the bytes of a word.
INLINE uint32_t spreadPairs(uint32_t four) { return (four | four << 6 | four << 12 | four << 18) & 0x03030303u; }

// Blocks of 128 [d, bits: 16]: a bit is code 0 or 2.
template <> struct Blocks<Q1_0> {
  static constexpr int BYTES = 18;
  static INLINE Codes codes(const u8* row, i64 step) {
    const uint32_t bits = word(head(row, step) + 2 + step % 4 * 4);
    Codes c;
    for (int j = 0; j < 8; j++) c.words[j] = spreadBits(bits >> (4 * j)) << 1;
    return c;
  }
  static INLINE const u8* head(const u8* row, i64 step) { return row + step / 4 * BYTES; }
};

// Blocks of 64 [d, pairs of bits: 16].
template <> struct Blocks<Q2_0> {
  static constexpr int BYTES = 18;
  static INLINE Codes codes(const u8* row, i64 step) {
    const u8* at = head(row, step) + 2 + step % 2 * 8;
    Codes c;
    for (int j = 0; j < 8; j++) c.words[j] = spreadPairs(at[j]);
    return c;
  }
  static INLINE const u8* head(const u8* row, i64 step) { return row + step / 2 * BYTES; }
};

// Super-blocks of 256, parts of 32 being steps. `scales` gives the step's groups: s[2], m[2] (signed s as its byte).
template <int BYTES_, int D> struct SuperBlocks {
  static constexpr int BYTES = BYTES_;
  static INLINE const u8* block(const u8* row, i64 step) { return row + step / 8 * BYTES; }
  static INLINE const u8* head(const u8* row, i64 step) { return block(row, step) + D; }
};

// Per 128 columns 32 bytes of pairs of bits, first the lowest of all of them.
INLINE Codes twoBits(const u8* pairs, int part) {
  Codes c;
  for (int j = 0; j < 8; j++) c.words[j] = word(pairs + part / 4 * 32 + 4 * j) >> (2 * (part % 4)) & 0x03030303u;
  return c;
}

template <> struct Blocks<Q2_K> : SuperBlocks<84, 80> {
  static INLINE Codes codes(const u8* row, i64 step) { return twoBits(block(row, step) + 16, (int)(step % 8)); }
  static INLINE void scales(u8* s, u8*, const u8* row, i64 step) {
    copyBytes(s, block(row, step) + step % 8 * 2, 2);
  }
};

template <> struct Blocks<Q3_K> : SuperBlocks<110, 108> {
  static INLINE Codes codes(const u8* row, i64 step) {
    const u8* at = block(row, step);
    Codes c = twoBits(at + 32, (int)(step % 8));
    for (int j = 0; j < 8; j++) c.words[j] |= (word(at + 4 * j) >> (step % 8) & 0x01010101u) << 2;
    return c;
  }
  static INLINE void scales(u8* s, u8*, const u8* row, i64 step) {
    const u8* six = block(row, step) + 96;
    for (int g = 0; g < 2; g++) {
      const int part = step % 8 * 2 + g;
      const int low = six[part % 8] >> (part < 8 ? 0 : 4) & 15, high = six[8 + part % 4] >> (2 * (part / 4)) & 3;
      s[g] = (u8)((low | high << 4) - 32);
    }
  }
};

// Q4_K and Q5_K: [d, dmin, scales of 6 bits: 12, fifth bits?: 32, nibbles: 128].
template <int FIFTH> struct NibbleSuperBlocks : SuperBlocks<144 + FIFTH, 0> {
  typedef SuperBlocks<144 + FIFTH, 0> Base;
  static INLINE Codes codes(const u8* row, i64 step) {
    const u8* at = Base::block(row, step);
    const int part = (int)(step % 8);
    Codes c;
    for (int j = 0; j < 8; j++) {
      c.words[j] = word(at + 16 + FIFTH + part / 2 * 32 + 4 * j) >> (part % 2 * 4) & 0x0f0f0f0fu;
      if (FIFTH) c.words[j] |= (word(at + 16 + 4 * j) >> part & 0x01010101u) << 4;
    }
    return c;
  }
  static INLINE void scales(u8* s, u8* m, const u8* row, i64 step) {
    const u8* six = Base::block(row, step) + 4;
    const int part = step % 8;
    if (part < 4) {
      s[0] = six[part] & 63;
      m[0] = six[part + 4] & 63;
    } else {
      s[0] = (six[part + 4] & 15) | (six[part - 4] >> 6) << 4;
      m[0] = six[part + 4] >> 4 | (six[part] >> 6) << 4;
    }
  }
};
template <> struct Blocks<Q4_K> : NibbleSuperBlocks<0> {};
template <> struct Blocks<Q5_K> : NibbleSuperBlocks<32> {};

template <> struct Blocks<Q6_K> : SuperBlocks<210, 208> {
  static INLINE Codes codes(const u8* row, i64 step) {
    const u8* at = block(row, step);
    const int part = (int)(step % 8), quarter = part % 4;
    const u8* low = at + part / 4 * 64 + quarter % 2 * 32;
    const u8* high = at + 128 + part / 4 * 32;
    Codes c;
    for (int j = 0; j < 8; j++) {
      c.words[j] = (word(low + 4 * j) >> (quarter / 2 * 4) & 0x0f0f0f0fu) |
                   (word(high + 4 * j) >> (2 * quarter) & 0x03030303u) << 4;
    }
    return c;
  }
  static INLINE void scales(u8* s, u8*, const u8* row, i64 step) {
    copyBytes(s, block(row, step) + 192 + step % 8 * 2, 2);
  }
};

template <> struct Blocks<IQ4_XS> : SuperBlocks<136, 0> {
  static INLINE Codes codes(const u8* row, i64 step) { return halvesOf(block(row, step) + 8 + step % 8 * 16); }
  static INLINE void scales(u8* s, u8*, const u8* row, i64 step) {
    const u8* at = block(row, step);
    const int part = step % 8, high = (at[2] | at[3] << 8) >> (2 * part) & 3;
    s[0] = (u8)(((at[4 + part / 2] >> (part % 2 * 4) & 15) | high << 4) - 32);
  }
};

// One row of a step's codes into its planes.
template <class P> INLINE void putCodes(u8* step, const Codes& c, int r) {
  const auto put = [&](i64 at, uint32_t codes) { copyBytes(step + at + 4 * r, &codes, 4); };
  for (int j = 0; P::LOW == 8 && j < 8; j++) put(64 * j, c.words[j]);
  for (int j = 0; P::LOW == 4 && j < 4; j++) {
    put(64 * j, (c.words[j] & 0x0f0f0f0fu) | (c.words[4 + j] & 0x0f0f0f0fu) << 4);
  }
  // Four words' pairs of bits, from the lowest or from above the low plane.
  const auto pairs = [&](int q, int shift) {
    uint32_t all = 0;
    for (int i = 0; i < 4; i++) all |= (c.words[4 * q + i] >> shift & 0x03030303u) << (2 * i);
    return all;
  };
  for (int q = 0; P::LOW == 2 && q < 2; q++) put(64 * q, pairs(q, 0));
  for (int q = 0; P::HIGH == 2 && q < 2; q++) put(P::LOW_BYTES + 64 * q, pairs(q, P::LOW));
  if (P::HIGH == 1) {
    uint32_t all = 0;
    for (int j = 0; j < 8; j++) all |= (c.words[j] >> P::LOW & 0x01010101u) << j;
    put(P::LOW_BYTES, all);
  }
}

template <class P> INLINE void putScales(const typename P::Step& to, const u8* row, i64 step, int r) {
  typedef Blocks<P::TYPE> From;
  const u8* from = From::head(row, step);
  u8* head = (u8*)to.headAt;
  if constexpr (P::KIND == EXPONENTS) {
    head[r] = from[0];
  } else {
    copyBytes(head + 2 * r, from, 2);
    if (P::HAS_MIN) copyBytes(head + 2 * TILE_ROWS + 2 * r, from + 2, 2);
  }
  if constexpr (P::IS_SUPER) {
    u8 s[2], m[2];
    From::scales(s, m, row, step);
    for (int g = 0; g < P::GROUPS_PER_STEP; g++) {
      u8* group = (u8*)to.groupsAt + g * P::GROUP_BYTES + r;
      group[0] = s[g];
      if (P::KIND == SUPER_AND_MINS) group[TILE_ROWS] = m[g];
    }
  }
}

// Rows firstTile * 16 .. + rows of a matrix, whose blocks begin at `from`, into its tiles at `to`, which hold zeros.
static void pack(Context& context, const PackRecord& record) {
  const i64 rows = record.rows, cols = record.cols;
  withFormat(record.dtype, [&](auto format) {
    typedef decltype(format) P;
    context.each(ceilDiv(rows, TILE_ROWS), 1, [&](i64 unit) {
      u8* tile = record.to + (record.firstTile + unit) * P::tileBytes(cols);
      const i64 count = min<i64>(TILE_ROWS, rows - unit * TILE_ROWS);
      typename P::Step at(tile, 0);
      for (i64 step = 0; step < cols / STEP; step++, at.next()) {
        for (int r = 0; r < count; r++) {
          const u8* row = record.from + (unit * TILE_ROWS + r) * record.rowBytes;
          putCodes<P>((u8*)at.codesAt, Blocks<P::TYPE>::codes(row, step), r);
          putScales<P>(at, row, step, r);
        }
      }
    });
  });
}

// The bytes of a matrix in tiles.
static void packedSize(Context& context, const PackedSizeRecord& r) {
  context.each(1, 1, [&](i64) { *r.to = (double)(ceilDiv(r.rows, TILE_ROWS) * packedTileBytes(r.dtype, r.cols)); });
}

}  // namespace latentkit::LATENTKIT_ISA
