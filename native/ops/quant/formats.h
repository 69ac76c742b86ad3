// How quantised matrices lie in memory, and how their codes and scales are read.
//
// Rows go in tiles of 16 (the last one filled up with zeros), columns in steps of 32, steps in blocks of 1, 2, 4 or 8. A
// tile is a row of blocks, and a block
//
//   [scales of its steps, in whole lines] [codes of each step]
//
// so that a product reads memory as one stream: two streams, of codes and of scales, reach three quarters of the speed.
//
// Codes of a step: a plane of 8, 4 or 2 low bits, then perhaps one of 1 or 2 high bits. Column 4 j + i of row r is byte
// 4 r + i of vector j: four columns of 16 rows in 64 bytes, as the integer dot product wants them. Vectors that share a
// plane's bytes: nibbles j and j + 4; pairs of bits 4 q .. 4 q + 3 in vector q of the plane; single bits all eight.
//
// A code c stands for d (c - OFFSET) or d c + m, where d and m belong to a row's group of 32 or 16 columns. The numbers
// are those of the file: nothing is rounded in packing.
#pragma once
#include "../../simd/simd.h"
#include "packed-types.h"

namespace latentkit::LATENTKIT_ISA {

constexpr int TILE_ROWS = 16;
constexpr int STEP = 32;
// Steps of a super-block.
constexpr int SUPER_STEPS = 8;
// So far ahead codes and scales are fetched where there are several rows of x, into the second-level cache: a fetch into the
// first keeps one of the few places for misses until memory has answered, and products wait for these (measured).
constexpr i64 PREFETCH_BYTES = 8192;
// Vector parts of a tile.
constexpr int PARTS = TILE_ROWS / LANES;

enum ScaleKind {
  HALVES,            // per step: f16 d[16]
  HALVES_AND_MINS,   // per step: f16 d[16], f16 m[16]
  EXPONENTS,         // per step: u8 e[16], d = 2^(e - 128)
  SUPER_SCALES,      // per block: f16 d[16], then per group i8 s[16]; d = d s
  SUPER_AND_MINS,    // per block: f16 d[16], f16 dmin[16], then per group u8 s[16], u8 m[16]; m = -dmin m
  SUPER_AND_NIBBLES  // the same with s and m in one byte, s in the low nibble
};

// What four-bit codes stand for where they are no numbers themselves: signed values, as unsigned ones above an offset.
enum Table { NO_TABLE, IQ4_TABLE, E2M1_TABLE };
alignas(16) static const u8 IQ4_VALUES[16] = {1,   24,  45,  63,  79,  93,  106, 118,
                                              129, 141, 153, 166, 181, 197, 217, 241};
alignas(16) static const u8 E2M1_VALUES[16] = {12, 13, 14, 15, 16, 18, 20, 24, 12, 11, 10, 9, 8, 6, 4, 0};

template <Dtype TYPE_, int LOW_, int HIGH_, int GROUP_, int OFFSET_, ScaleKind KIND_, Table TABLE_ = NO_TABLE>
struct Format {
  static constexpr Dtype TYPE = TYPE_;
  static constexpr int LOW = LOW_, HIGH = HIGH_, GROUP = GROUP_, OFFSET = OFFSET_;
  static constexpr ScaleKind KIND = KIND_;
  static constexpr Table TABLE = TABLE_;
  // Codes above 63.
  static constexpr bool WIDE = OFFSET == 128;
  static constexpr bool IS_SUPER = KIND >= SUPER_SCALES;
  static constexpr bool HAS_MIN = KIND == HALVES_AND_MINS || KIND >= SUPER_AND_MINS;
  static constexpr i64 LOW_BYTES = TILE_ROWS * STEP * LOW / 8, HIGH_BYTES = TILE_ROWS * STEP * HIGH / 8;
  static constexpr i64 CODE_BYTES = LOW_BYTES + HIGH_BYTES;
  static constexpr int GROUPS_PER_STEP = STEP / GROUP;
  // As many steps as fill a line with their scales.
  static constexpr int BLOCK_STEPS = IS_SUPER ? SUPER_STEPS : KIND == EXPONENTS ? 4 : KIND == HALVES ? 2 : 1;
  // Of a group of a super-block; of what is kept once for a step, or for a super-block.
  static constexpr i64 GROUP_BYTES = KIND == SUPER_AND_MINS ? 32 : 16;
  static constexpr i64 HEAD_BYTES = KIND == EXPONENTS ? 16 : HAS_MIN ? 64 : 32;
  static constexpr i64 SCALE_BYTES =
      IS_SUPER ? (HEAD_BYTES + SUPER_STEPS * GROUPS_PER_STEP * GROUP_BYTES + LINE_BYTES - 1) / LINE_BYTES * LINE_BYTES : LINE_BYTES;
  static constexpr i64 BLOCK_BYTES = SCALE_BYTES + BLOCK_STEPS * CODE_BYTES;

  static INLINE i64 tileBytes(i64 cols) { return ceilDiv(cols / STEP, BLOCK_STEPS) * BLOCK_BYTES; }

  // A step of a tile, the i-th of its block: where its codes are, what is kept once for it, and the scales of its groups.
  struct Step {
    const u8 *codesAt, *headAt, *groupsAt;
    int i;
    INLINE Step(const u8* tile, i64 step) : i((int)(step % BLOCK_STEPS)) {
      const u8* block = tile + step / BLOCK_STEPS * BLOCK_BYTES;
      codesAt = block + SCALE_BYTES + i * CODE_BYTES;
      headAt = block + (IS_SUPER ? 0 : i * HEAD_BYTES);
      groupsAt = block + HEAD_BYTES + i * GROUPS_PER_STEP * GROUP_BYTES;
    }
    INLINE void next() {
      codesAt += CODE_BYTES;
      groupsAt += GROUPS_PER_STEP * GROUP_BYTES;
      if (!IS_SUPER) headAt += HEAD_BYTES;
      if (++i < BLOCK_STEPS) return;
      i = 0;
      headAt = codesAt;
      groupsAt = headAt + HEAD_BYTES;
      codesAt += SCALE_BYTES;
    }
    // Fetches what the same step of a later block needs.
    INLINE void fetchAhead() const {
      constexpr i64 AHEAD = (PREFETCH_BYTES + BLOCK_BYTES - 1) / BLOCK_BYTES * BLOCK_BYTES;
#pragma GCC unroll 8
      for (int b = 0; b < CODE_BYTES; b += LINE_BYTES) fetchLine(codesAt + AHEAD + b);
      fetchLine((IS_SUPER ? groupsAt : headAt) + AHEAD);
    }

    // Vector j (0 .. 8) of the codes, and d and m of the group g (0 or 1), for one part of the rows.
    INLINE Bytes codes(int j, int part) const { return codesOf(codesAt + part * LANES * 4, j); }
    INLINE F scale(int g, int part) const {
      if constexpr (KIND == EXPONENTS) return exponents(headAt + part * LANES);
      const F d = loadF16((const uint16_t*)headAt + part * LANES);
      if constexpr (!IS_SUPER) return d;
      const u8* group = groupsAt + g * GROUP_BYTES + part * LANES;
      if constexpr (KIND == SUPER_SCALES) return d * floats(loadI8(group));
      if constexpr (KIND == SUPER_AND_MINS) return d * floats((I)loadU8(group));
      return d * floats((I)(loadU8(group) & 15));
    }
    INLINE F min(int g, int part) const {
      const F m = loadF16((const uint16_t*)headAt + TILE_ROWS + part * LANES);
      if constexpr (!IS_SUPER) return m;
      const u8* group = groupsAt + g * GROUP_BYTES + part * LANES;
      if constexpr (KIND == SUPER_AND_MINS) return -(m * floats((I)loadU8(group + TILE_ROWS)));
      return -(m * floats((I)(loadU8(group) >> 4)));
    }
  };

 private:
  static INLINE Bytes codesOf(const u8* at, int j) {
    Words code;
    if constexpr (LOW == 8) return loadBytes(at + 64 * j);
    if constexpr (LOW == 4) code = ((Words)loadBytes(at + 64 * (j & 3)) >> (j & 4)) & 0x0f0f;
    if constexpr (LOW == 2) code = ((Words)loadBytes(at + 64 * (j >> 2)) >> (2 * (j & 3))) & 0x0303;
    if constexpr (TABLE != NO_TABLE) return lookup(TABLE == IQ4_TABLE ? IQ4_VALUES : E2M1_VALUES, (Bytes)code);
    if constexpr (HIGH == 1) code |= moved((Words)loadBytes(at + LOW_BYTES), LOW - j) & (uint16_t)(0x0101 << LOW);
    if constexpr (HIGH == 2) {
      code |= moved((Words)loadBytes(at + LOW_BYTES + 64 * (j >> 2)), LOW - 2 * (j & 3)) & (uint16_t)(0x0303 << LOW);
    }
    return (Bytes)code;
  }

  static INLINE Words moved(Words bits, int left) { return left >= 0 ? bits << left : bits >> -left; }
  // 2^(e - 128), subnormal below e = 2.
  static INLINE F exponents(const u8* from) {
    const U e = loadU8(from);
    return (F)(e < 2 ? (U{} + 0x00200000) << e : (e - 1) << 23);
  }
};

template <Dtype TYPE> struct Packed;
#define LATENTKIT_FORMAT(TYPE, ...) template <> struct Packed<TYPE> : Format<TYPE, __VA_ARGS__> {};
LATENTKIT_PACKED_FORMATS(LATENTKIT_FORMAT)
#undef LATENTKIT_FORMAT

// Calls `call` with the format of a packed type.
template <class Call> INLINE void withFormat(Dtype dtype, Call call) {
  switch (dtype) {
#define LATENTKIT_CASE(TYPE) \
  case TYPE: return call(Packed<TYPE>{});
    LATENTKIT_PACKED_TYPES(LATENTKIT_CASE)
#undef LATENTKIT_CASE
    case F32:
    case F16:
    case BF16:
    case E4M3:
    case I32:
    case U8:
    case F64:
    LATENTKIT_SCALED_CASES: impossible();
  }
}

INLINE i64 packedTileBytes(Dtype dtype, i64 cols) {
  i64 bytes = 0;
  withFormat(dtype, [&](auto format) { bytes = decltype(format)::tileBytes(cols); });
  return bytes;
}

}  // namespace latentkit::LATENTKIT_ISA
