#include "../ops/table.h"
