// How records of the command list are read: [opcode, numbers in the record, work, arguments ...], all f64. Addresses are
// below 2^53. `work` estimates multiply-adds or elements moved; little work is done by one thread alone. records.h has the
// arguments of each operation by name.
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
  INLINE Activation activation() { return (Activation)(int)*next++; }
  template <class T> INLINE T* pointer() { return (T*)(uintptr_t)*next++; }
};

// Sizes of up to three outer axes and the last one, whose stride is 1.
struct Extent {
  i64 d0, d1, d2, n;
  INLINE explicit Extent(Args& args) : d0(args.count()), d1(args.count()), d2(args.count()), n(args.count()) {}
  INLINE i64 rows() const { return d0 * d1 * d2; }
};

// Where the rows of a tensor with an extent are. Strides are in elements; `bytes` is an element's size.
struct Strided {
  char* base;
  i64 s0, s1, s2;
  INLINE explicit Strided(Args& args)
      : base(args.pointer<char>()), s0(args.count()), s1(args.count()), s2(args.count()) {}
  INLINE char* row(const Extent& extent, i64 r, int bytes) const {
    const i64 i2 = r % extent.d2, r01 = r / extent.d2;
    return base + ((r01 / extent.d1) * s0 + (r01 % extent.d1) * s1 + i2 * s2) * bytes;
  }
  INLINE float* floats(const Extent& extent, i64 r) const { return (float*)row(extent, r, 4); }
};

}  // namespace latentkit
