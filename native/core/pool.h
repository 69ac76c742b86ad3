// One pool of threads and the list it runs. Threads spin for a moment, then sleep, both between operations and
// between lists.
#pragma once
#include "context.h"

namespace latentkit {

constexpr int MAX_THREADS = 256;

// Less work than this is done by the first thread alone: about the time of two barriers.
constexpr double SOLO_WORK = 16384;

struct Pool {
  Team team;
  alignas(64) int32_t epoch;
  int32_t sleepers;
  int32_t quit;
  const Operation* operations;
  const double* list;
  // End of the last record that all threads run, and of the list.
  const double* teamEnd;
  const double* end;
  char* scratch;
  size_t scratchBytes;
  char* shared;
  size_t sharedBytes;
  void* handles[MAX_THREADS];
};

enum RunResult : int { RUN_OK = 0, RUN_NO_MEMORY = 1, RUN_BAD_LIST = 2 };

// `pool` is zeroed memory of `sizeof(Pool)` bytes.
void poolStart(Pool* pool, const Operation* operations, int threads);
int poolRun(Pool* pool, const double* list, i64 length);
void poolThread(Pool* pool, int thread);
void poolStop(Pool* pool);

// The operations for an instruction set; null if this build or this machine has not got it. An empty name means the
// best there is; `chosen` gets its name.
const Operation* operationsFor(const char* name, const char** chosen);

}  // namespace latentkit
