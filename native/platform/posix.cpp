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
// From here on in large pages where the system has them: reading is up to half as fast again (measured).
constexpr size_t LARGE_FROM = 8 << 20;
constexpr size_t LARGE_PAGE = 2 << 20;

static void* mapPages(size_t bytes) {
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return memory == MAP_FAILED ? nullptr : memory;
}

// Large pages begin at multiples of their size: what is too much in front is given back.
static void* mapLargePages(size_t bytes) {
  char* memory = (char*)mapPages(bytes + LARGE_PAGE);
  if (!memory) return mapPages(bytes);
  const size_t before = (LARGE_PAGE - (uintptr_t)memory % LARGE_PAGE) % LARGE_PAGE;
  if (before) munmap(memory, before);
  const size_t end = (size_t)roundUp((i64)bytes, sysconf(_SC_PAGESIZE));
  munmap(memory + before + end, LARGE_PAGE - before);
#ifdef MADV_HUGEPAGE
  madvise(memory + before, bytes, MADV_HUGEPAGE);
#endif
  return memory + before;
}

void* allocate(size_t bytes) {
  if (bytes >= LARGE_FROM) return mapLargePages(bytes);
  if (bytes >= PAGES_FROM) return mapPages(bytes);
  const size_t rounded = (size_t)roundUp((i64)max<size_t>(bytes, 1), 64);
  void* memory = aligned_alloc(64, rounded);
  if (memory) memset(memory, 0, rounded);
  return memory;
}

void release(void* memory, size_t bytes) {
  if (!memory) return;
  if (bytes >= PAGES_FROM) munmap(memory, bytes);
  else free(memory);
}

bool allowTiles() {
#if defined(__linux__) && defined(__x86_64__)
  constexpr int ARCH_REQ_XCOMP_PERM = 0x1023, TILE_DATA = 18;
  return syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, TILE_DATA) == 0;
#else
  return false;
#endif
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

double seconds() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

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
