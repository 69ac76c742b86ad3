/** `latentkit inspect --attention`: what a model computes of a text, as arrays in a file. */
import type { AttentionOptions, Reading } from '../../../src/index.ts'
import { UsageError } from '../exit.ts'
import { writeWhole } from '../output/whole-file.ts'
import type { NamedArray } from './arrays.ts'
import { writeNpz } from './npz.ts'
import { writeSafetensors } from './safetensors.ts'

export const PARTS = ['patterns', 'scores', 'hidden', 'latents', 'logits'] as const
export type Part = (typeof PARTS)[number]

export interface Wanted {
  readonly vocabSize: number
  readonly parts: readonly Part[]
  readonly layers: readonly number[] | undefined
  readonly heads: readonly number[] | undefined
  /** Side of reduced patterns; undefined: whole ones. */
  readonly pool: number | undefined
  readonly signal: AbortSignal
  /** After each piece: those that are done, of all. */
  readonly onPiece: (done: number, total: number) => void
}

export interface WrittenArray {
  readonly name: string
  readonly dtype: string
  readonly shape: readonly number[]
}

const FORMATS = { '.npz': writeNpz, '.safetensors': writeSafetensors }

/** The format by a file's ending. Throws UsageError. */
export function formatOf(path: string): keyof typeof FORMATS {
  const ending = /\.[^./\\]*$/.exec(path)?.[0] ?? ''
  if (ending === '.npz' || ending === '.safetensors') return ending
  throw new UsageError(`--out is ${JSON.stringify(path)}; expected a file that ends in .npz or .safetensors`)
}

/** Writes the file. Returns its size and what is in it. Throws UsageError for what the model has not. */
export async function writeReading(
  path: string,
  reading: Reading,
  wanted: Wanted,
): Promise<{ readonly bytes: number; readonly arrays: readonly WrittenArray[] }> {
  const format = formatOf(path)
  const arrays = arraysOf(reading, wanted)
  let done = 0
  const counted = arrays.map(array => ({
    ...array,
    async *data() {
      for await (const piece of array.data()) {
        yield piece
        wanted.onPiece(
          ++done,
          arrays.reduce((n, { count }) => n + count, 0),
        )
      }
    },
  }))
  const bytes = await writeWhole(path, append =>
    FORMATS[format](append, counted, { format: 'pt', made_by: 'latentkit inspect --attention' }),
  )
  return { bytes, arrays: arrays.map(({ name, dtype, shape }) => ({ name, dtype, shape })) }
}

interface CountedArray extends NamedArray {
  /** Pieces in which it comes. */
  readonly count: number
}

function arraysOf(reading: Reading, wanted: Wanted): CountedArray[] {
  const { parts, vocabSize, signal } = wanted
  const arrays = ofText(reading, wanted, '')
  if (parts.includes('logits')) {
    arrays.push({
      name: 'logits',
      dtype: 'f32',
      shape: [vocabSize],
      count: 1,
      data: () => once(async () => (await reading.next({ logits: true, signal })).logits as Float32Array),
    })
  }
  const { source } = reading
  if (!source) return arrays
  // Layers and heads are named of the text; the encoder may have others.
  const all = { ...wanted, layers: undefined, heads: undefined, parts: parts.filter(part => part !== 'latents') }
  return [...arrays, ...ofText(source, all, 'source.')]
}

/** `prefix`: before the arrays' names. */
function ofText(
  reading: Reading,
  { parts, layers: given, heads: some, pool, signal }: Wanted,
  prefix: string,
): CountedArray[] {
  const T = reading.tokens.length
  const L = reading.layers.length
  // Names are unique: 0-3,-1 may name one layer twice.
  const named = given && [...new Set(given.map(i => place('layers', i, L)))]
  const attending = named ?? reading.layers.flatMap(({ layer, heads }) => (heads > 0 ? [layer] : []))
  const arrays: CountedArray[] = [
    {
      name: `${prefix}input_ids`,
      dtype: 'i64',
      shape: [T],
      count: 1,
      data: () => once(async () => BigInt64Array.from(reading.tokens, ({ id }) => BigInt(id))),
    },
  ]
  const maps = (
    name: string,
    layer: number,
    keys: number,
    what: AttentionOptions,
    pick: (map: Asked) => Float32Array,
  ) => {
    const { kind, ...sizes } = reading.layers[layer] as Reading['layers'][number]
    const count = what.cross ? sizes.crossHeads : sizes.heads
    if (count === 0) {
      throw new UsageError(
        `--layers has ${layer}, which carries a state (${kind}) in place of keys and attends to nothing: it has no ${name}`,
      )
    }
    const heads = (some ?? Array.from({ length: count }, (_, h) => h)).map(h => place('heads', h, count))
    const shape = pool === undefined || what.scores ? [T, keys] : [Math.min(pool, T), Math.min(pool, keys)]
    arrays.push({
      name: `${prefix}${name}.${layer}`,
      dtype: 'f32',
      shape: [heads.length, ...shape],
      count: heads.length,
      data: async function* () {
        for await (const map of reading.attention({ layers: [layer], heads, signal, ...what })) yield pick(map as Asked)
      },
    })
  }
  const patterns = (name: string, layer: number, keys: number, cross: boolean) => {
    if (pool === undefined) maps(name, layer, keys, { cross }, map => map.probabilities)
    else
      maps(name === 'attention' ? 'pooled' : `pooled_${name}`, layer, keys, { cross, pool }, map => map.pooled.values)
  }
  const S = reading.source?.tokens.length
  if (parts.some(part => part !== 'hidden' && part !== 'logits')) {
    for (const layer of attending) {
      if (parts.includes('patterns')) {
        patterns('attention', layer, T, false)
        if (S !== undefined) patterns('cross', layer, S, true)
      }
      if (parts.includes('scores')) {
        maps('scores', layer, T, { scores: true }, map => map.scores)
        if (S !== undefined) maps('cross_scores', layer, S, { scores: true, cross: true }, map => map.scores)
      }
      if (parts.includes('latents')) arrays.push(...latentsOf(reading, layer, signal))
    }
  }
  if (parts.includes('hidden')) {
    for (const layer of named ?? Array.from({ length: L + 1 }, (_, layer) => layer)) {
      arrays.push({
        name: `${prefix}hidden.${layer}`,
        dtype: 'f32',
        shape: [T, reading.hiddenSize],
        count: 1,
        data: async function* () {
          for await (const { values } of reading.hidden({ layers: [layer], signal })) yield values
        },
      })
    }
  }
  return arrays
}

function place(what: string, index: number, count: number): number {
  const at = index < 0 ? index + count : index
  if (at >= 0 && at < count) return at
  throw new UsageError(`--${what} has ${index}; expected ${-count} to ${count - 1}`)
}

/** A map with what was asked for. */
type Asked = {
  readonly probabilities: Float32Array
  readonly scores: Float32Array
  readonly pooled: { readonly values: Float32Array }
}

/** What MLA caches of every token. */
function latentsOf(reading: Reading, layer: number, signal: AbortSignal): CountedArray[] {
  const { latentSize, sharedKeySize } = reading.layers[layer] as Reading['layers'][number]
  if (latentSize === null) {
    throw new UsageError(
      `--write has latents, but layer ${layer} has none: its keys and values are its own (only MLA has latents)`,
    )
  }
  const T = reading.tokens.length
  const part = (name: string, size: number, pick: 'latents' | 'ropeKeys'): CountedArray => ({
    name: `${name}.${layer}`,
    dtype: 'f32',
    shape: [T, size],
    count: 1,
    data: () =>
      once(async () => {
        const all = new Float32Array(T * size)
        // A few rows at a time: heads are raised with them.
        for (let from = 0; from < T; from += ROWS) {
          const rows = [from, Math.min(from + ROWS, T)]
          const { latent } = await reading.vectors({ layer, head: 0, rows, signal })
          if (latent) all.set(latent[pick], from * size)
        }
        return all
      }),
  })
  return [part('latent', latentSize, 'latents'), part('rope_key', sharedKeySize, 'ropeKeys')]
}

const ROWS = 256

async function* once<T>(make: () => Promise<T>): AsyncGenerator<T, void, void> {
  yield await make()
}
