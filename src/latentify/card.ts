/** The model card of a latent model. */
import { VERSION } from '../version.ts'
import type { Licence } from './licence.ts'
import type { Measured } from './measure.ts'
import type { Healing, Measurement, ReportFacts } from './result.ts'

interface CardFacts extends Omit<ReportFacts, 'input'> {
  /** Of the original: its name on the hub, where it comes from there; else that of its folder or file. */
  readonly name: string
}

export function card(facts: CardFacts): string {
  const { name, modelType, plan, cache, theta, balance, licence, calibrate, calibrationTokens, measured, healing } =
    facts
  const { before, after, rank, rope } = cache
  const base =
    theta === null ? 'the frequencies of the original, once for each of its key-value heads' : `theta ${theta}`
  const text =
    calibrate === null
      ? 'All rotated numbers and all values are kept, so it computes what the original computes.'
      : `Computed in closed form from ${calibrationTokens} tokens of \`${calibrate}\`: frequencies are folded into the pairs of the rope key, what loses its rotation gets its mean, and the latent holds keys (${balance} times as much) and values in the metrics of their effects. What such a text does not show may be lost more than it does.`
  return `---
base_model: ${JSON.stringify(name)}
base_model_relation: finetune
${licence === null ? '' : fieldsOf(licence)}library_name: transformers
tags: [latentkit, mla]
---

# ${name} with a latent cache

The ${modelType} model ${name}, whose attention (${plan.heads} heads, ${plan.groups} of keys and values, ${plan.width} wide) \`latentkit latentify\` ${VERSION} has turned into Multi-head Latent
Attention, in the form of DeepSeek-V3. Its licence is that of the original${licenceName(licence)}.

| numbers cached per token and layer | |
|---|---|
| original | ${before} |
| here | ${after} (${((100 * after) / before).toFixed(1)} %): a latent of ${rank}, a rope key of ${rope} |

${text} The rope key turns by ${base}.
${healing ? healed(healing) : ''}${measured ? lost(measured, healing, cache, theta) : ''}
The norm of the latent is a constant factor here, written for readers whose eps for it is 1e-6, as transformers' is (\`constant_latent_norm\` in config.json). Rows of \`kv_a_proj_with_mqa\` are about
1e-9 on purpose: keep them in f32 or bf16. \`latentkit convert\` keeps both right in GGUF files for llama.cpp.
`
}

/** Behind a colon; empty where nothing says more than that there is one. */
function licenceName(licence: Licence | null): string {
  const called = licence?.name ?? licence?.id ?? 'other'
  return called === 'other' ? '' : `: ${called}`
}

function fieldsOf({ id, name, link }: Licence): string {
  const fields = [
    ['license', id],
    ['license_name', name],
    ['license_link', link],
  ]
  return fields.flatMap(([key, value]) => (value === null ? [] : [`${key}: ${value}\n`])).join('')
}

function healed({ text, steps, tokens, seconds, kl }: Healing): string {
  const source = text === null ? 'texts that the original wrote' : `\`${text}\``
  const [first, last] = [kl[0], kl.at(-1)].map(value => value?.toFixed(4))
  return `
Then its attention was healed: ${steps} steps (${Math.round(seconds)} s) of distillation from the original, ${tokens} tokens of ${source}. KL on these texts was ${first} in the first step and ${last} in the last.
`
}

function lost(
  { windows, tokens, perplexity, sizes }: Measurement,
  healing: Healing | null,
  { rank, rope }: ReportFacts['cache'],
  theta: number | null,
): string {
  const row = (cells: readonly (string | number)[], { perplexity, perplexityRatio, kl, top1 }: Measured) => {
    const ratio = `${perplexityRatio.mean.toFixed(3)} ± ${perplexityRatio.error.toFixed(3)}`
    const numbers = [perplexity.toFixed(3), ratio, kl.mean.toFixed(4), `${(100 * top1.mean).toFixed(1)} %`]
    return `| ${[...cells, ...numbers].join(' | ')} |`
  }
  const rows = sizes.flatMap(size => {
    const total = size.rank + size.rope
    const isOwn = size.rank === rank && size.rope === rope && size.theta === theta
    const cells = [isOwn ? `**${total}**` : total, size.rope, size.theta ?? '']
    const after = isOwn && healing?.measured
    return [row(cells, size), ...(after ? [row([`**${total}**, healed`, size.rope, size.theta ?? ''], after)] : [])]
  })
  return `
What is lost, on ${windows} windows of the same text that were not read before (${tokens} tokens count; the original's perplexity there is ${perplexity.toFixed(3)}), for this size and others that were tried:

| numbers | rope key | theta | perplexity | ratio | KL, nats per token | same top token |
|---|---|---|---|---|---|---|
${rows.join('\n')}
`
}
