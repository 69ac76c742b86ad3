#define LATENTKIT_SET_NEON
#include "../ops/table.h"
