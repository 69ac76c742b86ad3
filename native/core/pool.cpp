#include "pool.h"

#include "opcodes.h"

namespace latentkit {

void Context::waitForTeam(Team* team) {
  const int32_t phase = __atomic_load_n(&team->phase, __ATOMIC_ACQUIRE);
  if (__atomic_add_fetch(&team->arrived, 1, __ATOMIC_ACQ_REL) == team->threads) {
    team->arrived = 0;
    team->claimed = 0;
    __atomic_store_n(&team->phase, phase + 1, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&team->sleepers, __ATOMIC_SEQ_CST) > 0) platform::wakeAll(&team->phase);
    return;
  }
  for (int i = 0; i < platform::SPIN_ROUNDS; i++) {
    if (__atomic_load_n(&team->phase, __ATOMIC_ACQUIRE) != phase) return;
    platform::pause();
  }
  __atomic_add_fetch(&team->sleepers, 1, __ATOMIC_SEQ_CST);
  while (__atomic_load_n(&team->phase, __ATOMIC_SEQ_CST) == phase) platform::waitWhile(&team->phase, phase);
  __atomic_sub_fetch(&team->sleepers, 1, __ATOMIC_SEQ_CST);
}

static bool isSolo(const Pool* pool, const double* record) {
  if (pool->team.threads == 1) return true;
  const Operation& operation = pool->operations[(int)record[0]];
  return (operation.work ? operation.work(Args{record + RECORD_HEADER}) : record[2]) < SOLO_WORK;
}

// Runs the list's records up to `end` as one thread of the team. Consecutive operations that the first thread runs
// alone need no barrier between them.
static void interpret(Pool* pool, int thread, const double* end) {
  Context context = {};
  context.team = &pool->team;
  context.thread = thread;
  context.threads = pool->team.threads;
  context.scratch = pool->scratch + pool->scratchBytes * (size_t)thread;
  context.shared = pool->shared;
  context.sharedBytes = pool->sharedBytes;
  bool unseen = false;
  const double* next;
  for (const double* record = pool->list; record < end; record = next) {
    // Read now: after the last barrier the list may be written anew.
    next = record + (i64)record[1];
    const Operation& operation = pool->operations[(int)record[0]];
    context.soloClaimed = 0;
    context.solo = isSolo(pool, record);
    if (context.solo) {
      if (thread == 0) operation.run(context, Args{record + RECORD_HEADER});
      unseen = true;
      continue;
    }
    if (unseen) Context::waitForTeam(&pool->team);
    unseen = false;
    operation.run(context, Args{record + RECORD_HEADER});
    Context::waitForTeam(&pool->team);
  }
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

// Checks the records, finds where the team's part ends and makes room for the scratch of every operation.
static int plan(Pool* pool, const double* list, i64 length) {
  size_t scratch = 64, shared = 0;
  pool->list = pool->teamEnd = list;
  pool->end = list + length;
  for (const double* record = list; record < pool->end;) {
    const int code = (int)record[0];
    const i64 size = (i64)record[1];
    if (code < 0 || code >= OPCODES || size < RECORD_HEADER || size > pool->end - record) return RUN_BAD_LIST;
    const Operation& operation = pool->operations[code];
    const Args args = {record + RECORD_HEADER};
    if (operation.scratch) scratch = most(scratch, operation.scratch(args));
    record += size;
    if (isSolo(pool, record - size)) continue;
    if (operation.shared) shared = most(shared, operation.shared(args));
    pool->teamEnd = record;
  }
  const bool enough = grow(&pool->scratch, &pool->scratchBytes, (size_t)pool->team.threads, scratch) &&
                      grow(&pool->shared, &pool->sharedBytes, 1, shared);
  return enough ? RUN_OK : RUN_NO_MEMORY;
}

int poolRun(Pool* pool, const double* list, i64 length) {
  const int result = plan(pool, list, length);
  if (result != RUN_OK) return result;
  if (pool->teamEnd > list) {
    __atomic_add_fetch(&pool->epoch, 1, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&pool->sleepers, __ATOMIC_SEQ_CST) > 0) platform::wakeAll(&pool->epoch);
  }
  interpret(pool, 0, pool->end);
  return RUN_OK;
}

void poolThread(Pool* pool, int thread) {
  int32_t seen = 0;
  for (;;) {
    int32_t epoch = __atomic_load_n(&pool->epoch, __ATOMIC_ACQUIRE);
    for (int i = 0; epoch == seen && i < platform::SPIN_ROUNDS; i++) {
      platform::pause();
      epoch = __atomic_load_n(&pool->epoch, __ATOMIC_ACQUIRE);
    }
    if (epoch == seen) {
      __atomic_add_fetch(&pool->sleepers, 1, __ATOMIC_SEQ_CST);
      while ((epoch = __atomic_load_n(&pool->epoch, __ATOMIC_SEQ_CST)) == seen) {
        platform::waitWhile(&pool->epoch, seen);
      }
      __atomic_sub_fetch(&pool->sleepers, 1, __ATOMIC_SEQ_CST);
    }
    if (__atomic_load_n(&pool->quit, __ATOMIC_ACQUIRE)) return;
    seen++;
    interpret(pool, thread, pool->teamEnd);
  }
}

void poolStart(Pool* pool, const Operation* operations, int threads) {
  pool->operations = operations;
  pool->team.threads = threads < 1 ? 1 : threads > MAX_THREADS ? MAX_THREADS : threads;
  pool->team.threads = platform::startThreads(pool);
}

void poolStop(Pool* pool) {
  __atomic_store_n(&pool->quit, 1, __ATOMIC_RELEASE);
  __atomic_add_fetch(&pool->epoch, 1, __ATOMIC_SEQ_CST);
  platform::wakeAll(&pool->epoch);
  platform::joinThreads(pool);
  platform::release(pool->scratch, pool->scratchBytes * (size_t)pool->team.threads);
  platform::release(pool->shared, pool->sharedBytes);
  pool->scratch = pool->shared = nullptr;
}

}  // namespace latentkit
