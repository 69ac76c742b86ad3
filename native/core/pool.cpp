#include "pool.h"

#include "opcodes.h"

namespace latentkit {

static double workOf(const Pool* pool, const double* record) {
  const Operation& operation = pool->operations[(int)record[0]];
  return operation.work ? operation.work(Args{record + RECORD_HEADER}) : record[2];
}

static bool isSolo(const Pool* pool, double work) { return pool->team.threads == 1 || work < SOLO_WORK; }

static Context contextOf(Pool* pool, int thread) {
  Context context = {};
  context.team = &pool->team;
  context.threads = pool->team.threads;
  context.scratch = pool->scratch + pool->scratchBytes * (size_t)thread;
  context.shared = pool->shared;
  context.sharedBytes = pool->sharedBytes;
  return context;
}

// ---- the leader ----------------------------------------------------------------------------------------------------

// The word that sleeping threads watch: the sequence number. (Every machine this runs on is little-endian.)
static int32_t* sequenceWord(Team& team) { return (int32_t*)&team.open + 1; }

static uint32_t sequenceOf(uint64_t open) { return (uint32_t)(open >> 32); }

// The next sequence number. The leader is the only one to write it: workers change the other half, at any time.
static uint32_t nextSequence(const Team& team) { return sequenceOf(__atomic_load_n(&team.open, __ATOMIC_RELAXED)) + 1; }

static void setOpen(Team& team, uint32_t sequence, uint32_t unit) {
  __atomic_store_n(&team.open, (uint64_t)sequence << 32 | unit, __ATOMIC_SEQ_CST);
}

// Opens or closes, and wakes those who sleep, once: until they run they find work by themselves. They are asked for before the
// number changes: who falls asleep after the question either sees the new number or stays known as sleeping.
static void setOpenAndWake(Team& team, uint32_t sequence, uint32_t unit) {
  const bool asleep = __atomic_load_n(&team.sleeping, __ATOMIC_SEQ_CST) && __atomic_exchange_n(&team.sleeping, 0, __ATOMIC_SEQ_CST);
  setOpen(team, sequence, unit);
  if (asleep) platform::wakeAll(sequenceWord(team));
}

// Waits until the units that others took are done.
static void awaitUnits(Team& team) {
  for (int i = 0; i < platform::SPIN_ROUNDS; i++) {
    if (__atomic_load_n(&team.done, __ATOMIC_ACQUIRE) == team.left) return;
    platform::pause();
  }
  __atomic_store_n(&team.leaderSleeps, 1, __ATOMIC_SEQ_CST);
  for (;;) {
    const uint32_t done = __atomic_load_n(&team.done, __ATOMIC_SEQ_CST);
    if (done == team.left) break;
    platform::waitWhile((int32_t*)&team.done, (int32_t)done);
  }
  __atomic_store_n(&team.leaderSleeps, 0, __ATOMIC_RELAXED);
}

// Shares one phase of an operation with whoever comes. `left`: the work from here to the list's end.
static void leadPhase(Pool* pool, Context& context, const double* record, double left) {
  Team& team = pool->team;
  context.sequence = nextSequence(team);
  Opened& opened = team.opened[context.sequence & 1];
  // Released: who reads them reads the number after the one they replace, too, and takes nothing of an operation it mistakes.
  __atomic_store_n(&opened.record, record, __ATOMIC_RELEASE);
  __atomic_store_n(&opened.phase, context.phase, __ATOMIC_RELEASE);
  __atomic_store_n(&opened.isSmall, context.isSmall, __ATOMIC_RELEASE);
  if (left >= WAKE_WORK) setOpenAndWake(team, context.sequence, 0);
  else setOpen(team, context.sequence, 0);
  pool->operations[(int)record[0]].run(context, Args{record + RECORD_HEADER});
  team.left += (uint32_t)(context.total - context.taken);
  awaitUnits(team);
}

// Untimed lists ask no clock.
struct NoClock {
  INLINE void begin() {}
  INLINE void end() {}
};

template <class Clock> static void lead(Pool* pool, const double* list, const double* end, double left, Clock clock) {
  Context context = contextOf(pool, 0);
  bool isOpen = false;
  for (const double* record = list; record < end; record += (i64)record[1]) {
    const double work = workOf(pool, record);
    context.solo = isSolo(pool, work);
    context.isSmall = work < SMALL_WORK;
    context.phase = 0;
    clock.begin();
    // What the leader does alone may overwrite what the last operation's units are counted by (a plan of experts): a thread that
    // comes late would count more of them.
    if (context.solo && isOpen) setOpen(pool->team, nextSequence(pool->team), CLOSED);
    isOpen = !context.solo;
    do {
      context.more = false;
      context.taken = context.total = 0;
      if (context.solo) pool->operations[(int)record[0]].run(context, Args{record + RECORD_HEADER});
      else leadPhase(pool, context, record, left);
      context.phase++;
    } while (context.more);
    clock.end();
    if (!context.solo) left -= work;
  }
  if (isOpen) setOpen(pool->team, nextSequence(pool->team), CLOSED);
  // The caller may write the list anew as soon as this returns.
  while (__atomic_load_n(&pool->team.active, __ATOMIC_SEQ_CST) > 0) platform::pause();
}

static bool grow(char** memory, size_t* bytes, size_t count, size_t needed) {
  if (needed <= *bytes) return true;
  platform::release(*memory, *bytes * count);
  *bytes = 0;
  const size_t rounded = (size_t)roundUp((i64)needed, 4096);
  *memory = (char*)platform::allocate(rounded * count);
  if (!*memory) return false;
  *bytes = rounded;
  return true;
}

// Checks the records and makes room for the scratch of every operation; `work` is all that can be shared.
static int plan(Pool* pool, const double* list, const double* end, double& work) {
  size_t scratch = 64, shared = 0;
  for (const double* record = list; record < end;) {
    const int code = (int)record[0];
    const i64 size = (i64)record[1];
    if (code < 0 || code >= OPCODES || size < RECORD_HEADER || size > end - record) return RUN_BAD_LIST;
    const Operation& operation = pool->operations[code];
    if (!operation.run) return RUN_NO_OPERATION;
    const Args args = {record + RECORD_HEADER};
    if (operation.scratch) scratch = max(scratch, operation.scratch(args));
    const double one = workOf(pool, record);
    record += size;
    if (!isSolo(pool, one)) work += one;
    if (operation.shared) shared = max(shared, operation.shared(args));
  }
  const bool enough = grow(&pool->scratch, &pool->scratchBytes, (size_t)pool->team.threads, scratch) &&
                      grow(&pool->shared, &pool->sharedBytes, 1, shared);
  return enough ? RUN_OK : RUN_NO_MEMORY;
}

template <class Clock> static int runList(Pool* pool, const double* list, i64 length, Clock clock) {
  double work = 0;
  const int result = plan(pool, list, list + length, work);
  if (result != RUN_OK) return result;
  if (work >= WAKE_WORK) {
    // A new number: threads that wake find nothing to do yet, and spin.
    setOpenAndWake(pool->team, nextSequence(pool->team), CLOSED);
  }
  lead(pool, list, list + length, work, clock);
  return RUN_OK;
}

int poolRun(Pool* pool, const double* list, i64 length) { return runList(pool, list, length, NoClock{}); }

struct Stopwatch {
  double* seconds;
  double began;
  void begin() { began = platform::seconds(); }
  void end() { *seconds++ += platform::seconds() - began; }
};

int poolRunTimed(Pool* pool, const double* list, i64 length, double* seconds) {
  return runList(pool, list, length, Stopwatch{seconds, 0});
}

// ---- the workers ---------------------------------------------------------------------------------------------------

static uint64_t openOf(const Team& team) { return __atomic_load_n(&team.open, __ATOMIC_SEQ_CST); }

// Waits for another sequence number than the one seen last.
static uint64_t awaitSequence(Team& team, uint32_t seen) {
  uint64_t open = openOf(team);
  for (int i = 0; sequenceOf(open) == seen && i < IDLE_ROUNDS; i++) {
    platform::pause();
    open = openOf(team);
  }
  for (; sequenceOf(open) == seen; open = openOf(team)) {
    __atomic_store_n(&team.sleeping, 1, __ATOMIC_SEQ_CST);
    platform::waitWhile(sequenceWord(team), (int32_t)seen);
  }
  return open;
}

static void join(Pool* pool, int thread, uint32_t sequence) {
  Team& team = pool->team;
  const Opened& opened = team.opened[sequence & 1];
  const double* record = __atomic_load_n(&opened.record, __ATOMIC_ACQUIRE);
  Context context = contextOf(pool, thread);
  context.sequence = sequence;
  context.phase = __atomic_load_n(&opened.phase, __ATOMIC_ACQUIRE);
  context.isSmall = __atomic_load_n(&opened.isSmall, __ATOMIC_ACQUIRE);
  pool->operations[(int)record[0]].run(context, Args{record + RECORD_HEADER});
  if (context.taken == 0) return;
  __atomic_add_fetch(&team.done, (uint32_t)context.taken, __ATOMIC_SEQ_CST);
  if (__atomic_load_n(&team.leaderSleeps, __ATOMIC_SEQ_CST)) platform::wakeAll((int32_t*)&team.done);
}

void poolThread(Pool* pool, int thread) {
  Team& team = pool->team;
  uint32_t seen = 1;
  for (;;) {
    const uint64_t open = awaitSequence(team, seen);
    seen = sequenceOf(open);
    if (__atomic_load_n(&team.quit, __ATOMIC_ACQUIRE)) return;
    if ((uint32_t)open == CLOSED) continue;
    __atomic_add_fetch(&team.active, 1, __ATOMIC_SEQ_CST);
    // Looked at again: while a thread counts as active, the list stays.
    if (sequenceOf(openOf(team)) == seen) join(pool, thread, seen);
    __atomic_sub_fetch(&team.active, 1, __ATOMIC_SEQ_CST);
  }
}

// ---- the pool ------------------------------------------------------------------------------------------------------

void poolStart(Pool* pool, const Operation* operations, int threads) {
  pool->operations = operations;
  setOpen(pool->team, 1, CLOSED);
  pool->team.threads = threads < 1 ? 1 : threads > MAX_THREADS ? MAX_THREADS : threads;
  pool->team.threads = platform::startThreads(pool);
}

void poolStop(Pool* pool) {
  __atomic_store_n(&pool->team.quit, 1, __ATOMIC_RELEASE);
  setOpen(pool->team, nextSequence(pool->team), CLOSED);
  platform::wakeAll(sequenceWord(pool->team));
  platform::joinThreads(pool);
  platform::release(pool->scratch, pool->scratchBytes * (size_t)pool->team.threads);
  platform::release(pool->shared, pool->sharedBytes);
  pool->scratch = pool->shared = nullptr;
}

}  // namespace latentkit
