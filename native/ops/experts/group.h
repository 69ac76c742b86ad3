// groupByExpert. A plan is [offsets of each expert's rows | per grouped row its assignment | per assignment its grouped
// row].
#pragma once
#include "../../core/context.h"
#include "../../core/records.h"
#include "../../simd/simd.h"

namespace latentkit::LATENTKIT_ISA {

static void groupByExpert(Context& context, const GroupByExpertRecord& r) {
  const i64 count = r.assignments, experts = r.experts;
  const int32_t* indices = r.indices;
  int32_t* plan = r.plan;
  i64 begin, end;
  if (!context.claim(1, 1, begin, end)) return;
  int32_t* assignments = plan + experts + 1;
  int32_t* places = assignments + count;
  for (i64 e = 0; e <= experts; e++) plan[e] = 0;
  for (i64 a = 0; a < count; a++) plan[indices[a] + 1]++;
  for (i64 e = 0; e < experts; e++) plan[e + 1] += plan[e];
  // The offsets serve as cursors, and are each moved back by one expert's rows afterwards.
  for (i64 a = 0; a < count; a++) {
    const int32_t row = plan[indices[a]]++;
    assignments[row] = (int32_t)a;
    places[a] = row;
  }
  for (i64 e = experts; e > 0; e--) plan[e] = plan[e - 1];
  plan[0] = 0;
}

}  // namespace latentkit::LATENTKIT_ISA
