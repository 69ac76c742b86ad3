// What a thread sees while it runs an operation: its share of the units, the barrier and its scratch memory.
#pragma once
#include "../platform/platform.h"
#include "args.h"

namespace latentkit {

// What the threads of one pool share. Each word that is written often has a cache line of its own.
struct Team {
  alignas(64) i64 claimed;
  alignas(64) int32_t arrived;
  alignas(64) int32_t phase;
  alignas(64) int32_t sleepers;
  int32_t threads;
};

struct Context {
  Team* team;
  int thread;
  int threads;
  // One thread runs this operation alone: the others are not there to share or to wait for.
  bool solo;
  i64 soloClaimed;
  char* scratch;
  char* shared;
  size_t sharedBytes;

  // Takes the next `grain` of `total` units. Which thread gets which unit is chance, and never decides a result.
  INLINE bool claim(i64 total, i64 grain, i64& begin, i64& end) {
    if (solo) {
      begin = soloClaimed;
      soloClaimed += grain;
    } else {
      begin = __atomic_fetch_add(&team->claimed, grain, __ATOMIC_RELAXED);
    }
    end = least(begin + grain, total);
    return begin < total;
  }

  // Waits for all threads, and makes the units of the next claim start at 0.
  INLINE void barrier() {
    soloClaimed = 0;
    if (!solo) waitForTeam(team);
  }

  static void waitForTeam(Team* team);
};

// One operation: `run` is called by every thread. Before the list runs, `scratch` says how many bytes a thread needs,
// `shared` how many all threads need together (null: none), `work` how much work it is (null: as the record says).
struct Operation {
  void (*run)(Context&, Args);
  size_t (*scratch)(Args);
  size_t (*shared)(Args);
  double (*work)(Args);
};

}  // namespace latentkit
