// Linux, and other POSIX systems where the futex is replaced by a short sleep.
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#ifdef __linux__
#include <linux/futex.h>
#include <sys/syscall.h>
#endif

#include "../core/pool.h"

namespace latentkit {
namespace platform {

// From here on memory comes from the system in pages, zeroed and not yet resident.
constexpr size_t PAGES_FROM = 128 << 10;

void* allocate(size_t bytes) {
  if (bytes >= PAGES_FROM) {
    void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? nullptr : memory;
  }
  const size_t rounded = (size_t)roundUp((i64)most<size_t>(bytes, 1), 64);
  void* memory = aligned_alloc(64, rounded);
  if (memory) memset(memory, 0, rounded);
  return memory;
}

void release(void* memory, size_t bytes) {
  if (!memory) return;
  if (bytes >= PAGES_FROM) munmap(memory, bytes);
  else free(memory);
}

#ifdef __linux__
void waitWhile(int32_t* word, int32_t value) {
  syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, nullptr, nullptr, 0);
}
void wakeAll(int32_t* word) { syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT32_MAX, nullptr, nullptr, 0); }
#else
void waitWhile(int32_t*, int32_t) {
  const timespec moment = {0, 100000};
  nanosleep(&moment, nullptr);
}
void wakeAll(int32_t*) {}
#endif

struct Start {
  Pool* pool;
  int thread;
};

static void* threadMain(void* argument) {
  const Start start = *(Start*)argument;
  free(argument);
  poolThread(start.pool, start.thread);
  return nullptr;
}

int startThreads(Pool* pool) {
  int started = 1;
  for (; started < pool->team.threads; started++) {
    Start* start = (Start*)malloc(sizeof(Start));
    if (!start) break;
    *start = {pool, started};
    pthread_t thread;
    if (pthread_create(&thread, nullptr, threadMain, start) != 0) {
      free(start);
      break;
    }
    pool->handles[started] = (void*)thread;
  }
  return started;
}

void joinThreads(Pool* pool) {
  for (int i = 1; i < pool->team.threads; i++) pthread_join((pthread_t)pool->handles[i], nullptr);
}

}  // namespace platform
}  // namespace latentkit
