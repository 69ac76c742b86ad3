#include "../simd/portable.h"
#include "../ops/all.inc"
