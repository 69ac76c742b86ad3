/** Whose rows these are: rows of two engines may stand for each other only where all of this is equal. */
import type { Adapter } from '../../adapter/adapter.ts'
import type { CacheLayer, CacheLayout } from '../../cache/layout.ts'
import type { Checkpoint } from '../../checkpoint/checkpoint.ts'
import { PATH_GRID } from '../../nn/attention/path.ts'
import type { ByteRange } from '../../tensor/bytes.ts'

/** Of the bytes in a cached block and of the rules that decide them: a change makes older blocks unknown. */
const VERSION = 3
/** Tensors that are looked into, spread over all of them, and the bytes taken from the middle of each. */
const SAMPLES = 2048
const SAMPLE_BYTES = 64
/** Between the digests of a model's weights and of an adapter. */
const WITH = ' with '

export interface Identity {
  /** Of the rules that decide a row's bits. */
  readonly rules: string
  /** Hashes of config.json, of tokenizer.json, and of every tensor's name, type and shape with bytes out of them, an adapter's too. */
  readonly config: string
  readonly tokenizer: string
  readonly weights: string
  /** Segments of a row with their types, for people, and a hash of how rows lie in blocks. */
  readonly rows: string
  readonly layout: string
  /** The arithmetic: kernels, instruction set, and what they were told. */
  readonly numerics: string
}

/** `adapter`: a digest of what changes the weights; null: nothing does. */
export async function identify(
  { config, tokenizer, tensors }: Pick<Checkpoint, 'config' | 'tokenizer' | 'tensors'>,
  numerics: string,
  layout: CacheLayout,
  adapter: string | null = null,
): Promise<Identity> {
  return {
    rules: `${VERSION}/${PATH_GRID}`,
    config: await digest(JSON.stringify(config)),
    tokenizer: await digest(JSON.stringify(tokenizer)),
    weights: (await weightsDigest(tensors)) + (adapter === null ? '' : WITH + adapter),
    rows: [...new Set(layout.layers.flatMap(l => l.segments).map(s => `${s.name} ${s.dtype}`))].join(', '),
    layout: await digest(JSON.stringify({ blockTokens: layout.blockTokens, groups: layerKinds(layout) })),
    numerics,
  }
}

/** Of each group, the layers whose rows are alike, and how these lie: what files are known by, field by field in this order. */
function layerKinds({ blockTokens, groups, layers }: CacheLayout): object[] {
  const kinds = new Map<string, Omit<CacheLayer, 'before'> & { readonly members: number[] }>()
  for (const [i, { before: _, ...layer }] of layers.entries()) {
    const key = JSON.stringify(layer)
    const known = kinds.get(key)
    if (known) known.members.push(i)
    else kinds.set(key, { ...layer, members: [i] })
  }
  return [...kinds.values()]
    .sort((a, b) => a.group - b.group)
    .map(({ group, segments, planes, rowBytes, members }) => ({
      layers: members,
      window: groups[group]?.window,
      segments: segments.map(({ name, heads, width, dtype }) => ({ name, heads, width, dtype })),
      planes,
      rowBytes,
      blockBytes: members.length * blockTokens * rowBytes,
    }))
}

/** 128 bits, in hexadecimal. */
export function fingerprint(identity: Identity): Promise<string> {
  return digest(JSON.stringify(identity))
}

/** What decides a text's bits beside the rows. */
export interface TextRules {
  readonly version: string
  /** The chat template, if there is one. */
  readonly template: string | undefined
  /** How tokens are drawn, and where texts end, unless a prompt says otherwise. */
  readonly defaults: object
}

/** Where two engines have the same, the same prompt with the same options becomes the same text. Kernels and cached types, then a hash. */
export async function textFingerprint(identity: Identity, { version, template, defaults }: TextRules): Promise<string> {
  const hash = await digest(JSON.stringify([identity, version, template ?? null, defaults]))
  return `latentkit ${version}; ${identity.numerics}; ${identity.rows}; ${hash}`
}

/** What differs between rows `there` and an engine `here`, in words; empty if they are of one kind. */
export function differences(there: Identity, here: Identity): string[] {
  const found: string[] = []
  if (there.tokenizer !== here.tokenizer) found.push('the tokenizer')
  if (there.config !== here.config) found.push('the model (config.json)')
  else if (ownWeights(there) !== ownWeights(here)) found.push("the model's weights")
  else if (there.weights !== here.weights) found.push('the adapter (lora)')
  if (there.rows !== here.rows) found.push(`the cached numbers (${there.rows} there, ${here.rows} here)`)
  else if (there.layout !== here.layout) found.push('the layout of cached rows')
  if (there.numerics !== here.numerics) found.push(`the arithmetic (${there.numerics} there, ${here.numerics} here)`)
  if (there.rules !== here.rules) found.push("latentkit's rules for rows (another version)")
  return found
}

function ownWeights({ weights }: Identity): string | undefined {
  return weights.split(WITH)[0]
}

/** Of an adapter's matrices and how much they count. B, which begins as 0, differs soonest: one kind after the other, so that samples have both. */
export function adapterDigest({ modules }: Adapter): Promise<string> {
  const shapes = modules.map(({ module, down, scale }) => [module, down.rows, scale])
  return sampledDigest(shapes, [...modules.map(({ up }) => up), ...modules.map(({ down }) => down)])
}

/** Of every tensor's name, type and shape, with bytes out of them. */
export function weightsDigest(tensors: Checkpoint['tensors']): Promise<string> {
  const all = [...tensors.values()]
  return sampledDigest(
    all.map(t => [t.name, t.dtype, t.shape]),
    all,
  )
}

async function sampledDigest(shapes: unknown, all: readonly { readonly bytes: ByteRange }[]): Promise<string> {
  const step = Math.max(1, Math.ceil(all.length / SAMPLES))
  const sampled = all.filter((_, i) => i % step === 0)
  const samples = await Promise.all(
    sampled.map(({ bytes: { source, offset, length } }) => {
      const count = Math.min(SAMPLE_BYTES, length)
      return source.read(offset + Math.floor((length - count) / 2), count)
    }),
  )
  return digest(JSON.stringify(shapes), ...samples)
}

/** The first 128 bits of SHA-256, in hexadecimal. Browsers have it on pages that came over https or from localhost. */
async function digest(...parts: (string | Uint8Array)[]): Promise<string> {
  // A blob takes bytes of its own; memory shared with threads is none.
  const own = parts.map(part => (typeof part === 'string' ? part : Uint8Array.from(part)))
  const bytes = await new Blob(own).arrayBuffer()
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes), 0, 16)
  return [...hash].map(byte => byte.toString(16).padStart(2, '0')).join('')
}
