// What the machine can do at most: reading memory, and products in registers. One source, a Node addon and a WebAssembly
// module. Nothing of the product is in here: a limit must not depend on what is held against it.
#include <stddef.h>
#include <stdint.h>

#if defined(__x86_64__)
#include <immintrin.h>
#define FOR(isa) __attribute__((target(isa)))
#elif defined(__wasm__)
#include <wasm_simd128.h>
#endif

namespace {

enum Kind { READ = 0, F32 = 1, BF16 = 2, INT8 = 3 };

// Sums in flight: more than any processor's latency times its units, and no more than there are registers.
#if defined(__wasm__)
constexpr int SUMS = 12;
#else
constexpr int SUMS = 16;
#endif

// What the compiler cannot see through, so that it does every product there is.
#if defined(__x86_64__)
#define OPAQUE(v) __asm__ volatile("" : "+v"(v))
#elif defined(__wasm__)
// No register of vectors for assembly here: through memory.
volatile v128_t somewhere;
#define OPAQUE(v) (somewhere = (v), (v) = somewhere)
#endif

#if defined(__x86_64__)

FOR("avx512f") double readAvx512(const char* from, size_t bytes) {
  __m512i a = {}, b = {}, c = {}, d = {};
  for (size_t k = 0; k < bytes; k += 256) {
    a = _mm512_xor_si512(a, _mm512_load_si512(from + k));
    b = _mm512_xor_si512(b, _mm512_load_si512(from + k + 64));
    c = _mm512_xor_si512(c, _mm512_load_si512(from + k + 128));
    d = _mm512_xor_si512(d, _mm512_load_si512(from + k + 192));
  }
  __m512i all = _mm512_xor_si512(_mm512_xor_si512(a, b), _mm512_xor_si512(c, d));
  OPAQUE(all);
  return (double)bytes;
}

FOR("avx2") double readAvx2(const char* from, size_t bytes) {
  __m256i a = {}, b = {};
  for (size_t k = 0; k < bytes; k += 64) {
    a = _mm256_xor_si256(a, _mm256_load_si256((const __m256i*)(from + k)));
    b = _mm256_xor_si256(b, _mm256_load_si256((const __m256i*)(from + k + 32)));
  }
  __m256i all = _mm256_xor_si256(a, b);
  OPAQUE(all);
  return (double)bytes;
}

// `each`: operations of one instruction, a product and a sum counted as two.
#define PRODUCTS(name, isa, Vector, each, init, product)                         \
  FOR(isa) double name(size_t rounds) {                                          \
    Vector sums[SUMS] = {}, x = init, y = init;                                  \
    _Pragma("GCC unroll 16") for (int i = 0; i < SUMS; i++) OPAQUE(sums[i]);     \
    for (size_t k = 0; k < rounds; k++) {                                        \
      OPAQUE(x);                                                                 \
      _Pragma("GCC unroll 16") for (int i = 0; i < SUMS; i++) sums[i] = product; \
    }                                                                            \
    _Pragma("GCC unroll 16") for (int i = 0; i < SUMS; i++) OPAQUE(sums[i]);     \
    return (double)rounds * SUMS * each;                                         \
  }

PRODUCTS(f32Avx512, "avx512f", __m512, 32, _mm512_set1_ps(1e-3f), _mm512_fmadd_ps(x, y, sums[i]))
PRODUCTS(f32Avx2, "avx2,fma", __m256, 16, _mm256_set1_ps(1e-3f), _mm256_fmadd_ps(x, y, sums[i]))
PRODUCTS(bf16Avx512, "avx512f,avx512bf16", __m512, 64, _mm512_set1_ps(1e-3f),
         _mm512_dpbf16_ps(sums[i], (__m512bh)x, (__m512bh)y))
PRODUCTS(int8Avx512, "avx512f,avx512vnni", __m512i, 128, _mm512_set1_epi8(1), _mm512_dpbusd_epi32(sums[i], x, y))
// Without VNNI three instructions make one such product.
PRODUCTS(int8Avx2, "avx2", __m256i, 64, _mm256_set1_epi8(1),
         _mm256_add_epi32(sums[i], _mm256_madd_epi16(_mm256_maddubs_epi16(x, y), x)))

double run(int kind, const char* memory, size_t amount) {
  __builtin_cpu_init();
  const bool wide = __builtin_cpu_supports("avx512f");
  if (kind == READ) return wide ? readAvx512(memory, amount) : readAvx2(memory, amount);
  if (kind == F32) return wide ? f32Avx512(amount) : f32Avx2(amount);
  if (kind == BF16) return __builtin_cpu_supports("avx512bf16") ? bf16Avx512(amount) : 0;
  return __builtin_cpu_supports("avx512vnni") ? int8Avx512(amount) : int8Avx2(amount);
}

#elif defined(__wasm__)

// Sums times a factor are added to themselves: products of the same numbers would be made once for all sums.
template <class Product> double products(size_t rounds, Product product) {
  v128_t sums[SUMS] = {}, x = wasm_f32x4_splat(1e-3f);
  OPAQUE(x);
#pragma unroll
  for (int i = 0; i < SUMS; i++) OPAQUE(sums[i]);
  for (size_t k = 0; k < rounds; k++) {
#pragma unroll
    for (int i = 0; i < SUMS; i++) sums[i] = product(sums[i], x);
  }
#pragma unroll
  for (int i = 0; i < SUMS; i++) OPAQUE(sums[i]);
  return (double)rounds * SUMS;
}

double run(int kind, const char* memory, size_t amount) {
  if (kind == READ) {
    v128_t a = {}, b = {}, c = {}, d = {};
    for (size_t k = 0; k < amount; k += 64) {
      a = wasm_v128_xor(a, wasm_v128_load(memory + k));
      b = wasm_v128_xor(b, wasm_v128_load(memory + k + 16));
      c = wasm_v128_xor(c, wasm_v128_load(memory + k + 32));
      d = wasm_v128_xor(d, wasm_v128_load(memory + k + 48));
    }
    v128_t all = wasm_v128_xor(wasm_v128_xor(a, b), wasm_v128_xor(c, d));
    OPAQUE(all);
    return (double)amount;
  }
  if (kind == BF16) return 0;
#if defined(__wasm_relaxed_simd__)
  return kind == F32 ? products(amount, [](v128_t sum, v128_t x) { return wasm_f32x4_relaxed_madd(sum, x, sum); }) * 8
                     : products(amount, [](v128_t sum, v128_t x) { return wasm_i32x4_relaxed_dot_i8x16_i7x16_add(sum, x, sum); }) * 32;
#else
  // Bytes would have to be widened: the product there is has 16 bits.
  return kind == F32 ? products(amount, [](v128_t sum, v128_t x) { return wasm_f32x4_add(sum, wasm_f32x4_mul(sum, x)); }) * 8
                     : products(amount, [](v128_t sum, v128_t x) { return wasm_i32x4_add(sum, wasm_i32x4_dot_i16x8(sum, x)); }) * 16;
#endif
}

#endif

}  // namespace

#if defined(__wasm__)

extern "C" __attribute__((export_name("run"))) double exportedRun(int kind, const char* memory, size_t amount) {
  return run(kind, memory, amount);
}

#else

#include <node_api.h>
#include <string.h>
#include <sys/mman.h>

// run(kind, amount) -> bytes read or operations done; 0: this machine has no such instruction. Memory is the thread's own.
static napi_value runFrom(napi_env env, napi_callback_info info) {
  napi_value arguments[2], result;
  size_t count = 2;
  napi_get_cb_info(env, info, &count, arguments, nullptr, nullptr);
  double kind = 0, amount = 0;
  napi_get_value_double(env, arguments[0], &kind);
  napi_get_value_double(env, arguments[1], &amount);
  static thread_local char* memory = nullptr;
  if ((int)kind == READ && !memory) {
    memory = (char*)mmap(nullptr, (size_t)amount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return napi_throw_error(env, nullptr, "out of memory"), nullptr;
    madvise(memory, (size_t)amount, MADV_HUGEPAGE);
    memset(memory, 1, (size_t)amount);
  }
  napi_create_double(env, run((int)kind, memory, (size_t)amount), &result);
  return result;
}

NAPI_MODULE_INIT() {
  napi_value function;
  napi_create_function(env, "run", NAPI_AUTO_LENGTH, runFrom, nullptr, &function);
  napi_set_named_property(env, exports, "run", function);
  return exports;
}

#endif
