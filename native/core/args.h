// Reading a record of the command list: [opcode, numbers in the record, work, arguments ...], all f64. Addresses are
// below 2^53. `work` estimates multiply-adds or elements moved; little work is done by one thread alone.
#pragma once
#include "base.h"

namespace latentkit {

constexpr int RECORD_HEADER = 3;

struct Args {
  const double* next;

  INLINE i64 count() { return (i64)*next++; }
  INLINE int small() { return (int)*next++; }
  INLINE bool flag() { return *next++ != 0; }
  INLINE float real() { return (float)*next++; }
  INLINE double real64() { return *next++; }
  INLINE Dtype dtype() { return (Dtype)(int)*next++; }
  template <class T> INLINE T* pointer() { return (T*)(uintptr_t)*next++; }
};

}  // namespace latentkit
