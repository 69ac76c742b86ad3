// Which instruction sets this build has, and which of them this machine.
#include "pool.h"
#ifdef __x86_64__
#include <cpuid.h>
#endif

namespace latentkit {

#define LATENTKIT_DECLARE(name) \
  namespace name {          \
  const Operation* operations(); \
  }

#if defined(__x86_64__)
#ifndef LATENTKIT_WITHOUT_AMX
LATENTKIT_DECLARE(amx)
#endif
LATENTKIT_DECLARE(avx512bf16)
LATENTKIT_DECLARE(avx512)
LATENTKIT_DECLARE(avx2)
#elif defined(__aarch64__)
LATENTKIT_DECLARE(neon)
#endif
#if defined(__wasm__)
// A module has one set, which the build names here too.
LATENTKIT_DECLARE(LATENTKIT_ISA)
#else
LATENTKIT_DECLARE(portable)
#endif

#if defined(__wasm__)

const Operation* operationsFor(const char*, const char** chosen) { return *chosen = "", LATENTKIT_ISA::operations(); }

#else

static bool same(const char* a, const char* b) {
  while (*a && *a == *b) a++, b++;
  return *a == *b;
}

#if defined(__x86_64__) && !defined(LATENTKIT_WITHOUT_AMX)
// GCC 12 does not name it.
static bool hasTiles() {
  constexpr unsigned BF16 = 1u << 22, TILE = 1u << 24, INT8 = 1u << 25, ALL = BF16 | TILE | INT8;
  unsigned a, b, c, d;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (d & ALL) == ALL && platform::allowTiles();
}
#endif

const Operation* operationsFor(const char* name, const char** chosen) {
  const bool any = name[0] == 0;
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool two = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
  const bool wide = two && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                    __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
                    __builtin_cpu_supports("avx512vnni");
  const bool pairs = wide && __builtin_cpu_supports("avx512bf16");
#ifndef LATENTKIT_WITHOUT_AMX
  if (pairs && (any || same(name, "amx")) && hasTiles()) return *chosen = "amx", amx::operations();
#endif
  if (pairs && (any || same(name, "avx512bf16"))) return *chosen = "avx512bf16", avx512bf16::operations();
  if (wide && (any || same(name, "avx512"))) return *chosen = "avx512", avx512::operations();
  if (two && (any || same(name, "avx2"))) return *chosen = "avx2", avx2::operations();
#elif defined(__aarch64__)
  if (any || same(name, "neon")) return *chosen = "neon", neon::operations();
#endif
  if (any || same(name, "portable")) return *chosen = "portable", portable::operations();
  return nullptr;
}

#endif

}  // namespace latentkit
