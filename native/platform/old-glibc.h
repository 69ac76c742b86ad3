// Put before the files that call the C library: names the oldest version of functions whose newer one the linker would
// take, so that an addon that is built here runs with the glibc of every Linux that Node supports (2.28), not only with
// this machine's. `test/package/addon.test.ts` holds the built addon to it.
#pragma once
#if defined(__linux__) && __has_include(<features.h>)
#include <features.h>
#endif
// Sanitizers put themselves in the place of these functions, by their plain names.
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#elif defined(__GLIBC__) && (defined(__x86_64__) || defined(__aarch64__))
#include <sys/stat.h>

#ifdef __x86_64__
#define LATENTKIT_GLIBC "GLIBC_2.2.5"
#define LATENTKIT_STAT_VERSION 1
#else
#define LATENTKIT_GLIBC "GLIBC_2.17"
#define LATENTKIT_STAT_VERSION 0
#endif

#define LATENTKIT_OLD(name) __asm__(".symver " #name "," #name "@" LATENTKIT_GLIBC)
// Moved from libpthread, which Node has loaded, to libc by 2.32 and 2.34.
LATENTKIT_OLD(pthread_create);
LATENTKIT_OLD(pthread_join);
LATENTKIT_OLD(pthread_detach);
LATENTKIT_OLD(pthread_once);
LATENTKIT_OLD(pthread_sigmask);
LATENTKIT_OLD(pthread_key_create);
LATENTKIT_OLD(pthread_getspecific);
LATENTKIT_OLD(pthread_setspecific);
// Moved from libdl, which Node has loaded, to libc by 2.34.
LATENTKIT_OLD(dladdr);
LATENTKIT_OLD(dlopen);
// `fstat` became a function of its own by 2.33; before, headers turned it into this one.
LATENTKIT_OLD(__fxstat);
#undef LATENTKIT_OLD
extern "C" int __fxstat(int version, int file, struct stat* status) noexcept;
#define fstat(file, status) __fxstat(LATENTKIT_STAT_VERSION, file, status)
#endif
