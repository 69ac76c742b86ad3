#define LATENTKIT_SET_AVX512
#include "../ops/table.h"
