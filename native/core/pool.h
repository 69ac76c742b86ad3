// One pool of threads and the list it runs. Between operations and between lists threads spin for a moment, then sleep.
#pragma once
#include "context.h"

namespace latentkit {

constexpr int MAX_THREADS = 256;

// Less work than this the leader does alone: sharing it costs more.
constexpr double SOLO_WORK = 16384;
// Less than this is little work.
constexpr double SMALL_WORK = 1 << 20;
// Sleeping threads are woken while a list has this much work left to share.
constexpr double WAKE_WORK = 1 << 20;
// Rounds that a worker without work waits before it sleeps, about 200 us: between two steps of a small model the host takes as
// long, and to be woken takes a tenth of such a step. (Measured: 4 threads on 2 cores are no slower for it.)
constexpr int IDLE_ROUNDS = 4 * platform::SPIN_ROUNDS;

struct Pool {
  Team team;
  const Operation* operations;
  char* scratch;
  size_t scratchBytes;
  char* shared;
  size_t sharedBytes;
  void* handles[MAX_THREADS];
};

// RUN_FILE_CHANGED comes from the host: the pool knows nothing of files. RUN_NO_OPERATION: this build has no such kernel.
enum RunResult : int { RUN_OK = 0, RUN_NO_MEMORY = 1, RUN_BAD_LIST = 2, RUN_FILE_CHANGED = 3, RUN_NO_OPERATION = 4 };

// `pool` is zeroed memory of `sizeof(Pool)` bytes.
void poolStart(Pool* pool, const Operation* operations, int threads);
int poolRun(Pool* pool, const double* list, i64 length);
// The same, and adds the seconds that the i-th record took to seconds[i].
int poolRunTimed(Pool* pool, const double* list, i64 length, double* seconds);
void poolThread(Pool* pool, int thread);
void poolStop(Pool* pool);

// The operations for an instruction set; null if this build or this machine has not got it. An empty name means the
// best there is; `chosen` gets its name.
const Operation* operationsFor(const char* name, const char** chosen);

}  // namespace latentkit
