// Types and helpers every part of the core shares. The core needs no library: the same files become a Node addon and
// a WebAssembly module. Everything here is always inlined, because the files that include it are compiled for
// different instruction sets and the linker must never merge their copies.
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "types.h"

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

// For the cases of a switch over types that cannot come: the process ends at once, instead of computing nonsense. Switches
// over types have no `default`, so that the compiler names the places that do not know a new one.
[[noreturn]] INLINE void impossible() { __builtin_trap(); }

INLINE bool isPacked(Dtype dtype) {
  switch ((int)dtype) {
    LATENTKIT_PACKED_CASES: return true;
  }
  return false;
}
INLINE bool isScaled(Dtype dtype) {
  switch ((int)dtype) {
    LATENTKIT_SCALED_CASES: return true;
  }
  return false;
}

INLINE int elementBytes(Dtype dtype) {
  return dtype == F64 ? 8 : dtype == F32 || dtype == I32 ? 4 : dtype == F16 || dtype == BF16 ? 2 : 1;
}

}  // namespace latentkit
