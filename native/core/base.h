// Types and helpers every part of the core shares. The core needs no library: the same files become a Node addon and
// a WebAssembly module. Everything here is always inlined, because the files that include it are compiled for
// different instruction sets and the linker must never merge their copies.
#pragma once
#include <stddef.h>
#include <stdint.h>

#define INLINE inline __attribute__((always_inline))

namespace latentkit {

typedef int64_t i64;
typedef uint8_t u8;

template <class T> INLINE T min(T a, T b) { return a < b ? a : b; }
template <class T> INLINE T max(T a, T b) { return a > b ? a : b; }
INLINE i64 ceilDiv(i64 a, i64 b) { return (a + b - 1) / b; }
INLINE i64 roundUp(i64 a, i64 b) { return ceilDiv(a, b) * b; }

INLINE void copyBytes(void* to, const void* from, size_t bytes) { __builtin_memcpy(to, from, bytes); }

template <class To, class From> INLINE To bitsAs(From from) {
  To to;
  __builtin_memcpy(&to, &from, sizeof(To));
  return to;
}

// A number as a type, for calls that need it at compile time.
template <int N> struct Count {
  static constexpr int value = N;
};

// Calls `call` with n, or with MOST where that is less; returns which.
template <int MOST, class Call> INLINE int withCount(i64 n, Call call) {
  if constexpr (MOST > 1) {
    if (n < MOST) return withCount<MOST - 1>(n, call);
  }
  call(Count<MOST>{});
  return MOST;
}

// Of the caches.
constexpr i64 LINE_BYTES = 64;

// Fetches a line from memory into the second-level cache.
INLINE void fetchLine(const void* at) { __builtin_prefetch(at, 0, 2); }

constexpr float INFINITY_F32 = __builtin_inff();

// Bytes anywhere in memory.
struct FourBytes {
  u8 bytes[4];
};
struct EightBytes {
  u8 bytes[8];
};

// What a tensor or a weight holds; the numbers are those of `src/kernels/core/codes.ts`. From Q8_0 on: quantised
// matrices, packed as ops/quant/formats.h says. INT8, FP8: cached vectors of codes with scales behind them
// (ops/cache/scaled-vectors.h).
enum Dtype : int {
  F32 = 0,
  F16 = 1,
  BF16 = 2,
  E4M3 = 3,
  I32 = 4,
  U8 = 5,
  F64 = 6,
  Q8_0 = 7,
  Q4_0 = 8,
  Q4_1 = 9,
  Q5_0 = 10,
  Q5_1 = 11,
  Q2_K = 12,
  Q3_K = 13,
  Q4_K = 14,
  Q5_K = 15,
  Q6_K = 16,
  IQ4_NL = 17,
  IQ4_XS = 18,
  MXFP4 = 19,
  INT8 = 20,
  FP8 = 21
};

// For the cases of a switch over types that cannot come: the process ends at once, instead of computing nonsense. Switches
// over types have no `default`, so that the compiler names the places that do not know a new one.
[[noreturn]] INLINE void impossible() { __builtin_trap(); }

#define LATENTKIT_PACKED_CASES \
  case Q8_0:                   \
  case Q4_0:                   \
  case Q4_1:                   \
  case Q5_0:                   \
  case Q5_1:                   \
  case Q2_K:                   \
  case Q3_K:                   \
  case Q4_K:                   \
  case Q5_K:                   \
  case Q6_K:                   \
  case IQ4_NL:                 \
  case IQ4_XS:                 \
  case MXFP4

#define LATENTKIT_SCALED_CASES \
  case INT8:                   \
  case FP8

INLINE bool isPacked(Dtype dtype) { return dtype >= Q8_0 && dtype <= MXFP4; }
INLINE bool isScaled(Dtype dtype) { return dtype >= INT8; }

INLINE int elementBytes(Dtype dtype) {
  return dtype == F64 ? 8 : dtype == F32 || dtype == I32 ? 4 : dtype == F16 || dtype == BF16 ? 2 : 1;
}

}  // namespace latentkit
