/** What stands beside the files of a latent model: a model card, and the report as JSON. */
import { basename } from 'node:path'
import { cachedName } from '../checkpoint/hub/cache-layout.ts'
import { VERSION } from '../version.ts'
import type { Plan, Sizes } from './plan.ts'

export interface CardFacts {
  /** Path of the original. */
  readonly input: string
  readonly modelType: string
  readonly plan: Plan
  readonly sizes: Sizes
  /** Numbers per token and layer that the original caches. */
  readonly before: number
  readonly theta: number | null
  readonly balance: number
  readonly calibrate: string | undefined
  readonly calibrationTokens: number
  readonly lossByLayer: readonly number[]
}

/** By file name: text. The same facts give the same bytes. */
export function cardFiles(facts: CardFacts): Map<string, string> {
  const { plan: _, sizes, input, calibrate, ...others } = facts
  const report = {
    latentkit: VERSION,
    original: nameOf(input),
    ...sizes,
    ...others,
    ...(calibrate !== undefined && { calibrate: basename(calibrate) }),
  }
  return new Map([
    ['README.md', card(facts)],
    ['latentify.json', `${JSON.stringify(report, null, 2)}\n`],
  ])
}

/** Its name on the hub, where it comes from there; else that of its folder or file. */
function nameOf(input: string): string {
  return cachedName(input) ?? basename(input)
}

function card(facts: CardFacts): string {
  const { input, modelType, plan, sizes, before, theta, calibrate, calibrationTokens } = facts
  const name = nameOf(input)
  const after = sizes.rank + sizes.rope
  const base =
    theta === null ? 'the frequencies of the original, once for each of its key-value heads' : `theta ${theta}`
  const text =
    calibrate === undefined
      ? 'All rotated numbers and all values are kept, so it computes what the original computes.'
      : `Computed without training from ${calibrationTokens} tokens of \`${basename(calibrate)}\`. What such a text does not show may be lost more than it does.`
  return `---
base_model: ${JSON.stringify(name)}
base_model_relation: finetune
library_name: transformers
tags: [latentkit, mla]
---

# ${name} with a latent cache

The ${modelType} model ${name}, whose attention (${plan.heads} heads, ${plan.groups} of keys and values, ${plan.width} wide) \`latentkit latentify\` ${VERSION} has turned into Multi-head Latent
Attention, in the form of DeepSeek-V3. Its licence is that of the original.

| numbers cached per token and layer | |
|---|---|
| original | ${before} |
| here | ${after} (${((100 * after) / before).toFixed(1)} %): a latent of ${sizes.rank}, a rope key of ${sizes.rope} |

${text} The rope key turns by ${base}.

The norm of the latent is a constant factor here, written for readers whose eps for it is 1e-6, as transformers' is (\`constant_latent_norm\` in config.json). Rows of \`kv_a_proj_with_mqa\` are about
1e-9 on purpose: keep them in f32 or bf16. \`latentkit convert\` keeps both right in GGUF files for llama.cpp.
`
}
