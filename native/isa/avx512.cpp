#include "../simd/avx512.h"
#include "../ops/all.inc"
