// What a thread sees while it runs an operation: the units that are left to take, and memory for its own use.
#pragma once
#include "../platform/platform.h"
#include "args.h"

namespace latentkit {

// What is open: a record, its phase, and whether it is little work.
struct Opened {
  const double* record;
  int32_t phase;
  bool isSmall;
};

// What the threads of one pool share. Each word that is written often has a cache line of its own.
struct Team {
  // [sequence number, next unit]: one word, so that a unit is only ever taken of the operation a thread looks at. Instead of
  // a unit CLOSED: there is nothing to take.
  alignas(64) uint64_t open;
  // Of even and of odd numbers. A thread that comes late may read what was opened since, and takes no unit of it: by then the
  // number is another.
  Opened opened[2];
  // Units that workers have done, and that the leader has left to them, since the pool began (modulo 2^32).
  alignas(64) uint32_t done;
  int32_t leaderSleeps;
  alignas(64) uint32_t left;
  // Threads that look at a record.
  alignas(64) int32_t active;
  // Whether a thread sleeps that nobody has woken yet.
  alignas(64) int32_t sleeping;
  int32_t quit;
  int32_t threads;
};

constexpr uint32_t CLOSED = ~0u;

// An operation's units are taken one after the other by whichever thread is free: the leader, which walks the list, and
// workers, which join when they come. Nobody waits for a thread that has taken nothing.
struct Context {
  Team* team;
  int threads;
  // Set for an operation that the leader runs alone.
  bool solo;
  // So little work that threads take nearly their whole shares at once: asking for more costs as much as it evens out.
  bool isSmall;
  // An operation may ask for another phase, which begins when all units of this one are done.
  int phase;
  bool more;
  uint32_t sequence;
  // Units this thread took, and all there are.
  i64 taken, total;
  char* scratch;
  char* shared;
  size_t sharedBytes;

  // Takes the next `grain` of `units`. Which thread gets which unit is chance, and never decides a result. Once in an
  // operation's phase a thread asks until there are none left.
  INLINE bool claim(i64 units, i64 grain, i64& begin, i64& end) {
    return claimSome(units, [=](i64 left) { return min(grain, left); }, begin, end);
  }

  // Takes a part of the units that are left, so that units are taken in long runs, which read memory in one go, and
  // threads still end together.
  INLINE bool claimRun(i64 units, i64& begin, i64& end) {
    const auto some = [=, this](i64 left) {
      if (solo) return left;
      return min(left, max<i64>(1, isSmall && taken == 0 ? 7 * units / (8 * threads) : left / (2 * threads)));
    };
    return claimSome(units, some, begin, end);
  }

  // Calls `call(unit)` for every unit that this thread takes, `grain` of them at a time.
  template <class Call> INLINE void each(i64 units, i64 grain, Call call) {
    i64 begin, end;
    while (claim(units, grain, begin, end)) {
      for (i64 unit = begin; unit < end; unit++) call(unit);
    }
  }

  // The same of long runs.
  template <class Call> INLINE void eachRun(i64 units, Call call) {
    i64 begin, end;
    while (claimRun(units, begin, end)) {
      for (i64 unit = begin; unit < end; unit++) call(unit);
    }
  }

  template <class Count> INLINE bool claimSome(i64 units, Count count, i64& begin, i64& end) {
    total = units;
    i64 some;
    if (solo) {
      begin = taken;
      if (begin >= units) return false;
      some = count(units - begin);
    } else {
      uint64_t open = __atomic_load_n(&team->open, __ATOMIC_ACQUIRE);
      do {
        begin = (i64)(uint32_t)open;
        if ((uint32_t)(open >> 32) != sequence || begin >= units) return false;
        some = count(units - begin);
      } while (!__atomic_compare_exchange_n(&team->open, &open, open + (uint64_t)some, true, __ATOMIC_ACQ_REL,
                                            __ATOMIC_ACQUIRE));
    }
    end = begin + some;
    taken += some;
    return true;
  }
};

// Divides memory into arrays, one after the other; of null it only counts the bytes.
struct Carver {
  char* memory;
  size_t used = 0;
  INLINE float* take(i64 floats) {
    float* at = (float*)(memory + used);
    used += (size_t)roundUp(floats * 4, 64);
    return at;
  }
};

// One operation: `run` is called by the leader and by every worker that comes while units are left. Before the list runs, `scratch` says how many bytes a thread needs,
// `shared` how many all threads need together (null: none), `work` how much work it is (null: as the record says).
struct Operation {
  void (*run)(Context&, Args);
  size_t (*scratch)(Args);
  size_t (*shared)(Args);
  double (*work)(Args);
};

}  // namespace latentkit
