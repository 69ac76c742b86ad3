/**
 * Names that repositories do not have: transformers 5 turns its own back into published ones when it saves, and where two of these became one, takes
 * the wrong one. Only in tensors of Ling 3.0, Kimi Linear and Kimi K2.5, by names that no other model has.
 */
import type { TensorEntry } from './tensor-entry.ts'

/** The output of a layer that attends, in Ling's files, and of any layer in these. */
const DENSE = /^(.*layers\.\d+\.attention\.)dense(\..*)$/s
/** Dense layers of Kimi Linear, as if they were of experts. */
const EXPERTS = /^(.*layers\.\d+\.)block_sparse_moe(\.(?:gate|up|down)_proj\..*)$/s
/** Layers of Kimi K2.5's language model, as those of its vision part are called. */
const BLOCKS = /^(.*language_model\.model\.)blocks(\.\d+\..*)$/s

/** With the names of repositories. A name that is there as published stays with its own tensor. */
export function publishedNames(tensors: ReadonlyMap<string, TensorEntry>): ReadonlyMap<string, TensorEntry> {
  const named = (name: string): string => {
    const [, attention, rest] = DENSE.exec(name) ?? []
    if (attention !== undefined) return tensors.has(`${attention}A_log`) ? `${attention}o_proj${rest}` : name
    return name.replace(EXPERTS, '$1mlp$2').replace(BLOCKS, '$1layers$2')
  }
  const made = new Map<string, TensorEntry>()
  let renamed = false
  for (const entry of tensors.values()) {
    const name = named(entry.name)
    const taken = name !== entry.name && tensors.has(name)
    renamed ||= name !== entry.name && !taken
    made.set(taken ? entry.name : name, taken ? entry : { ...entry, name })
  }
  return renamed ? made : tensors
}
