#include "../simd/avx2.h"
#include "../ops/all.inc"
