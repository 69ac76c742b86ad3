// What the core needs of the machine it runs on. One file beside this one per platform.
#pragma once
#include "../core/base.h"

namespace latentkit {
struct Pool;

namespace platform {

// Zeroed, 64-byte aligned; null if there is none. Never called while a list runs.
void* allocate(size_t bytes);
void release(void* memory, size_t bytes);

// Sleeps while `*word == value`; may wake for no reason.
void waitWhile(int32_t* word, int32_t value);
void wakeAll(int32_t* word);

// A clock that only runs forward. WebAssembly's is its host's.
double seconds();

// Starts the pool's threads 1 .. threads, each calling `poolThread`; says how many threads there are then, the
// caller's included. WebAssembly's threads are started by its host.
int startThreads(Pool* pool);
void joinThreads(Pool* pool);

// Asks the system for the tiles of AMX, for all threads of the process; false where it has none to give.
bool allowTiles();

// Rounds of waiting before a thread sleeps: about 50 us. WebAssembly cannot pause, so that its rounds are shorter.
#if defined(__wasm__)
constexpr int SPIN_ROUNDS = 30000;
#else
constexpr int SPIN_ROUNDS = 1500;
#endif

INLINE void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

}  // namespace platform
}  // namespace latentkit
