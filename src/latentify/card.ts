/** The model card of a latent model. */
import { VERSION } from '../version.ts'
import type { Measurement, ReportFacts } from './result.ts'

interface CardFacts extends Omit<ReportFacts, 'input'> {
  /** Of the original: its name on the hub, where it comes from there; else that of its folder or file. */
  readonly name: string
}

export function card(facts: CardFacts): string {
  const { name, modelType, plan, cache, theta, calibrate, calibrationTokens, measured } = facts
  const { before, after, rank, rope } = cache
  const base =
    theta === null ? 'the frequencies of the original, once for each of its key-value heads' : `theta ${theta}`
  const text =
    calibrate === null
      ? 'All rotated numbers and all values are kept, so it computes what the original computes.'
      : `Computed without training from ${calibrationTokens} tokens of \`${calibrate}\`. What such a text does not show may be lost more than it does.`
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
| here | ${after} (${((100 * after) / before).toFixed(1)} %): a latent of ${rank}, a rope key of ${rope} |

${text} The rope key turns by ${base}.
${measured ? lost(measured, after) : ''}
The norm of the latent is a constant factor here, written for readers whose eps for it is 1e-6, as transformers' is (\`constant_latent_norm\` in config.json). Rows of \`kv_a_proj_with_mqa\` are about
1e-9 on purpose: keep them in f32 or bf16. \`latentkit convert\` keeps both right in GGUF files for llama.cpp.
`
}

function lost({ windows, tokens, perplexity, sizes }: Measurement, after: number): string {
  const rows = sizes.map(({ rank, rope, theta, ...size }) => {
    const ratio = `${size.perplexityRatio.mean.toFixed(3)} ± ${size.perplexityRatio.error.toFixed(3)}`
    const total = rank + rope === after ? `**${after}**` : rank + rope
    return `| ${total} | ${rope} | ${theta ?? ''} | ${size.perplexity.toFixed(3)} | ${ratio} | ${size.kl.mean.toFixed(4)} | ${(100 * size.top1.mean).toFixed(1)} % |`
  })
  return `
What is lost, on ${windows} windows of the same text that were not read before (${tokens} tokens count; the original's perplexity there is ${perplexity.toFixed(3)}), for this size and others that were tried:

| numbers | rope key | theta | perplexity | ratio | KL, nats per token | same top token |
|---|---|---|---|---|---|---|
${rows.join('\n')}
`
}
