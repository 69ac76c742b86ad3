#define LATENTKIT_SET_AVX512BF16
#include "../ops/table.h"
