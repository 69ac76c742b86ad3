// What the WebAssembly module exports. Every thread is an instance of its own on the shared memory; its host gives it
// a stack by setting `__stack_pointer` before it calls `thread`.
#include "../core/pool.h"

using namespace latentkit;

#define EXPORT(name) __attribute__((export_name(name)))

extern "C" {

EXPORT("poolBytes") size_t exportedPoolBytes() { return sizeof(Pool); }

// `memory` is zeroed and has `poolBytes()` bytes.
EXPORT("start") void exportedStart(Pool* memory, int threads) {
  const char* isa;
  poolStart(memory, operationsFor("", &isa), threads);
}

EXPORT("run") int exportedRun(Pool* pool, const double* list, int length) { return poolRun(pool, list, length); }

EXPORT("runTimed") int exportedRunTimed(Pool* pool, const double* list, int length, double* seconds) {
  return poolRunTimed(pool, list, length, seconds);
}

EXPORT("thread") void exportedThread(Pool* pool, int thread) { poolThread(pool, thread); }

EXPORT("stop") void exportedStop(Pool* pool) { poolStop(pool); }
}
