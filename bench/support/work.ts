import { plan } from '../../src/planning/index.ts'
import { readPlanModel } from '../../src/tools.ts'

/** What a step of this model has to read and multiply at least, with our default cache type. */
export async function stepWork(model: string, context: number) {
  const { decode, prefill } = plan(await readPlanModel(model), { context: Math.max(1, context), dtype: 'f16' })
  return { decode: decode.work, prefill: prefill.work }
}
