import { CheckpointError } from '../../errors.ts'
import { quote } from '../quote.ts'
import type { TensorEntry } from '../tensor-entry.ts'
import type { GgufTensor } from './header.ts'

/**
 * GGUF's names of modules and the hub's. A tensor is a module with `.weight` or `.bias`; `blk.{i}.` stands before
 * those of a layer.
 */
export interface TensorNaming {
  readonly model: Readonly<Record<string, string>>
  /** With `{layer}`. */
  readonly layer: string
  readonly inLayer: Readonly<Record<string, string>>
  /** In front of those, in layers that carry a state. Default: as in others. */
  readonly inStateLayer?: Readonly<Record<string, string>>
  readonly experts?: {
    /** With `{expert}`, after `layer`. */
    readonly expert: string
    /** Tensors of all experts [E, rows, cols]: the modules whose rows lie behind one another in each. */
    readonly modules: Readonly<Record<string, readonly string[]>>
  }
  /** Tensors [H, rows, cols] that the model reads as one matrix [H rows, cols]. */
  readonly perHead?: readonly string[]
  /** Tensors of one axis that the model reads as a matrix of one row. */
  readonly oneRow?: readonly string[]
}

/** Names of a layer that carries a state. Where two stand for one of the hub's, its own is first. */
export function stateNames({ inLayer, inStateLayer }: TensorNaming): TensorNaming['inLayer'] {
  return { ...inStateLayer, ...inLayer, ...inStateLayer }
}

/** Experts counted one by one; Kimi-K2 has 69,120. More would only ask for memory. */
const MAX_ENTRIES = 1_000_000

/** The tensors under the hub's names. What the naming does not know keeps its own. `carriesState`: by a layer's number. */
export function renameTensors(
  tensors: Iterable<GgufTensor>,
  naming: TensorNaming,
  carriesState: (layer: number) => boolean,
): Map<string, TensorEntry> {
  const renamed = new Map<string, TensorEntry>()
  const inStateLayer = stateNames(naming)
  for (const tensor of tensors) {
    const inLayer = carriesState(Number(split(tensor.name).layer)) ? inStateLayer : naming.inLayer
    for (const entry of rename(tensor, naming, inLayer)) {
      const { source } = tensor.bytes
      const where = `${source.path ?? source.name}: tensor ${quote(tensor.name)}`
      if (renamed.has(entry.name))
        throw new CheckpointError(`${where} and another one both stand for ${quote(entry.name)}`)
      if (renamed.size === MAX_ENTRIES)
        throw new CheckpointError(`${where} is beyond the limit of ${MAX_ENTRIES} matrices`)
      renamed.set(entry.name, entry)
    }
  }
  return renamed
}

function* rename(tensor: GgufTensor, naming: TensorNaming, inLayer: TensorNaming['inLayer']): Generator<TensorEntry> {
  const { module, layer, suffix } = split(tensor.name)
  if (layer === undefined) {
    const known = naming.model[module]
    yield entryOf(tensor, known === undefined ? tensor.name : known + suffix, tensor.shape)
    return
  }
  const at = naming.layer.replace('{layer}', layer)
  const parts = naming.experts?.modules[module]
  if (naming.experts && parts && tensor.shape.length === 3 && (tensor.shape[1] as number) % parts.length === 0) {
    yield* cutExperts(tensor, at + naming.experts.expert, parts, suffix)
    return
  }
  // The bias of the choice of experts is a tensor of its own on the hub, no module's bias.
  const known = inLayer[module]
  const name = inLayer[module + suffix] ?? (known === undefined ? undefined : known + suffix)
  yield entryOf(tensor, name === undefined ? tensor.name : at + name, shapeRead(tensor.shape, module, naming))
}

/** `blk.3.attn_q.weight` -> attn_q, 3, .weight */
function split(name: string): { readonly module: string; readonly layer?: string; readonly suffix: string } {
  const [, layer, module, suffix] = /^(?:blk\.(\d{1,6})\.)?(.*?)(\.weight|\.bias)?$/s.exec(name) ?? []
  return { module: module ?? name, suffix: suffix ?? '', ...(layer !== undefined && { layer: String(Number(layer)) }) }
}

/** Expert e's rows of [E, rows, cols], given to one or several modules by turns. */
function* cutExperts(
  tensor: GgufTensor,
  at: string,
  modules: readonly string[],
  suffix: string,
): Generator<TensorEntry> {
  const [experts, allRows, cols] = tensor.shape as [number, number, number]
  const { source, offset, length } = tensor.bytes
  const rows = allRows / modules.length
  const part = length / (experts * modules.length)
  for (let e = 0; e < experts; e++) {
    for (const [i, module] of modules.entries()) {
      const bytes = { source, offset: offset + (e * modules.length + i) * part, length: part }
      const name = at.replace('{expert}', String(e)) + module + suffix
      yield { name, dtype: tensor.type, shape: [rows, cols], bytes }
    }
  }
}

function shapeRead(shape: readonly number[], module: string, { perHead, oneRow }: TensorNaming): readonly number[] {
  if (perHead?.includes(module)) return flattened(shape)
  return shape.length === 1 && oneRow?.includes(module) ? [1, ...shape] : shape
}

function flattened(shape: readonly number[]): number[] {
  const [heads, rows, cols] = shape
  return shape.length === 3 ? [(heads as number) * (rows as number), cols as number] : [...shape]
}

function entryOf({ type, bytes }: GgufTensor, name: string, shape: readonly number[]): TensorEntry {
  return { name, dtype: type, shape, bytes }
}
