// WebAssembly: the host owns the memory, has the clock and starts the threads; the core only waits and wakes.
#include "../core/pool.h"

extern "C" {
__attribute__((import_module("env"), import_name("allocate"))) void* hostAllocate(size_t bytes);
__attribute__((import_module("env"), import_name("release"))) void hostRelease(void* memory);
__attribute__((import_module("env"), import_name("seconds"))) double hostSeconds();
}

namespace latentkit {
namespace platform {

void* allocate(size_t bytes) { return hostAllocate(bytes); }

void release(void* memory, size_t) {
  if (memory) hostRelease(memory);
}

#ifdef __wasm_atomics__
void waitWhile(int32_t* word, int32_t value) { __builtin_wasm_memory_atomic_wait32(word, value, -1); }
void wakeAll(int32_t* word) { __builtin_wasm_memory_atomic_notify(word, ~0u); }
#else
void waitWhile(int32_t*, int32_t) {}
void wakeAll(int32_t*) {}
#endif

double seconds() { return hostSeconds(); }

int startThreads(Pool* pool) { return pool->team.threads; }
void joinThreads(Pool*) {}

}  // namespace platform
}  // namespace latentkit
