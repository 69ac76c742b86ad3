// Mapped files on Linux and macOS.
#include "file-mapping.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/syscall.h>
#endif

namespace latentkit {
namespace platform {

// The handler walks these without a lock, so they are never freed: an unused one is taken again. `end` is 0 while it is
// unused, and is written last and cleared first.
struct FileMapping {
  FileMapping* next;
  uintptr_t begin, end;
  int32_t taken, cut;
  int file;
  i64 bytes, modified;
};

static FileMapping* mappings = nullptr;

static FileMapping* takeEntry() {
  for (FileMapping* entry = __atomic_load_n(&mappings, __ATOMIC_ACQUIRE); entry; entry = entry->next) {
    int32_t unused = 0;
    if (__atomic_compare_exchange_n(&entry->taken, &unused, 1, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) return entry;
  }
  FileMapping* entry = (FileMapping*)calloc(1, sizeof(FileMapping));
  if (!entry) return nullptr;
  entry->taken = 1;
  entry->next = __atomic_load_n(&mappings, __ATOMIC_RELAXED);
  while (!__atomic_compare_exchange_n(&mappings, &entry->next, entry, true, __ATOMIC_RELEASE, __ATOMIC_RELAXED)) {
  }
  return entry;
}

static void publish(FileMapping* entry, uintptr_t begin, uintptr_t end) {
  __atomic_store_n(&entry->begin, begin, __ATOMIC_SEQ_CST);
  __atomic_store_n(&entry->end, end, __ATOMIC_SEQ_CST);
}

static void withdraw(FileMapping* entry) { __atomic_store_n(&entry->end, 0, __ATOMIC_SEQ_CST); }

// ---- the handler: only what is safe in a signal handler --------------------------------------------------------------

static FileMapping* mappingAt(uintptr_t address) {
  for (FileMapping* entry = __atomic_load_n(&mappings, __ATOMIC_ACQUIRE); entry; entry = entry->next) {
    const uintptr_t end = __atomic_load_n(&entry->end, __ATOMIC_SEQ_CST);
    const uintptr_t begin = __atomic_load_n(&entry->begin, __ATOMIC_SEQ_CST);
    // Read again: between the two the entry may have been given to another file.
    if (address >= begin && address < end && __atomic_load_n(&entry->end, __ATOMIC_SEQ_CST) == end) return entry;
  }
  return nullptr;
}

// The whole file becomes zeros at once. The system call itself, since sanitizers wrap `mmap` in what is not safe here.
static bool replaceByZeros(const FileMapping* entry) {
  const uintptr_t begin = __atomic_load_n(&entry->begin, __ATOMIC_RELAXED);
  const size_t bytes = __atomic_load_n(&entry->end, __ATOMIC_RELAXED) - begin;
  const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE;
#if defined(__linux__) && defined(SYS_mmap)
  return syscall(SYS_mmap, (void*)begin, bytes, PROT_READ, flags, -1, 0) != -1;
#else
  return mmap((void*)begin, bytes, PROT_READ, flags, -1, 0) != MAP_FAILED;
#endif
}

static struct sigaction previous;

static void passOn(int signal, siginfo_t* info, void* context) {
  if (previous.sa_flags & SA_SIGINFO) return previous.sa_sigaction(signal, info, context);
  if (previous.sa_handler != SIG_DFL && previous.sa_handler != SIG_IGN) return previous.sa_handler(signal);
  // As if there were no handler: what faulted faults again, and what was sent is sent again.
  struct sigaction none = {};
  none.sa_handler = SIG_DFL;
  sigaction(signal, &none, nullptr);
  if (info->si_code <= 0) raise(signal);
}

static void onBusError(int signal, siginfo_t* info, void* context) {
  const int error = errno;
  // A code of 0 or less: somebody sent the signal, and there is no address.
  FileMapping* entry = info->si_code > 0 ? mappingAt((uintptr_t)info->si_addr) : nullptr;
  if (entry) {
    // Marked first: whoever reads zeros does so after the mark.
    __atomic_store_n(&entry->cut, 1, __ATOMIC_SEQ_CST);
    if (!replaceByZeros(entry)) entry = nullptr;
  }
  errno = error;
  if (!entry) passOn(signal, info, context);
}

static void installHandler() {
  // This library must stay where it is, also when the last thread of JavaScript that loaded it has ended.
  Dl_info self;
  if (dladdr((const void*)&installHandler, &self)) dlopen(self.dli_fname, RTLD_NOW | RTLD_NODELETE);
  struct sigaction action = {};
  sigaction(SIGBUS, nullptr, &previous);
  action.sa_sigaction = onBusError;
  action.sa_mask = previous.sa_mask;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigaction(SIGBUS, &action, nullptr);
}

// ---- mapping ---------------------------------------------------------------------------------------------------------

static i64 modificationTime(const struct stat& status) {
#ifdef __APPLE__
  const timespec& time = status.st_mtimespec;
#else
  const timespec& time = status.st_mtim;
#endif
  return (i64)time.tv_sec * 1000000000 + time.tv_nsec;
}

FileMapping* mapFile(const char* path, int* error) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, installHandler);
  const int file = open(path, O_RDONLY | O_CLOEXEC);
  struct stat status = {};
  void* address = MAP_FAILED;
  FileMapping* entry = nullptr;
  *error = 0;
  if (file < 0 || fstat(file, &status) != 0) {
    *error = errno;
  } else if (status.st_size > 0) {
    address = mmap(nullptr, (size_t)status.st_size, PROT_READ, MAP_SHARED, file, 0);
    if (address == MAP_FAILED) *error = errno;
    else if (!(entry = takeEntry())) *error = ENOMEM;
  }
  if (!entry) {
    if (address != MAP_FAILED) munmap(address, (size_t)status.st_size);
    if (file >= 0) close(file);
    return nullptr;
  }
  entry->cut = 0;
  entry->file = file;
  entry->bytes = (i64)status.st_size;
  entry->modified = modificationTime(status);
  publish(entry, (uintptr_t)address, (uintptr_t)address + (size_t)status.st_size);
  return entry;
}

void unmapFile(FileMapping* mapping) {
  const FileVersion version = versionOf(mapping);
  withdraw(mapping);
  munmap(version.address, (size_t)version.bytes);
  close(mapping->file);
  __atomic_store_n(&mapping->taken, 0, __ATOMIC_RELEASE);
}

FileVersion versionOf(const FileMapping* mapping) {
  return {(char*)mapping->begin, mapping->bytes, mapping->modified};
}

bool wasCut(const FileMapping* mapping) { return __atomic_load_n(&mapping->cut, __ATOMIC_SEQ_CST) != 0; }

bool hasChanged(const FileMapping* mapping) {
  struct stat status;
  if (wasCut(mapping) || fstat(mapping->file, &status) != 0) return true;
  return status.st_size != mapping->bytes || modificationTime(status) != mapping->modified;
}

}  // namespace platform
}  // namespace latentkit
