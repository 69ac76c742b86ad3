#define ISA avx512bf16
#include "../simd/avx512.h"
#include "../ops/all.inc"
