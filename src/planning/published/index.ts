/** Models by the name they were published under, without a file. */
import { OptionError } from '../../errors.ts'
import type { AttentionShape } from '../../families/descriptor.ts'
import { traitsOf } from '../../families/index.ts'
import { completeTraits } from '../../families/traits.ts'
import type { LayerKind, PlanModel } from '../plan-model.ts'
import { planModelFromJson } from '../read/json.ts'
import { CONFIGS } from './configs.ts'
import { ROWS } from './rows.ts'

/** An entry of the list of published models. */
export interface Published {
  /** Repository on huggingface.co. */
  readonly hub: string
  /** Repositories with the same sizes, and shorter names. */
  readonly alike: readonly string[]
  /** `model_type`, then a letter and numbers for each size, as `rows.ts` defines them; none where layers are unlike each other. */
  readonly words: readonly string[]
}

/** The list of published models, which `publishedModel` searches. */
export function published(): Published[] {
  const configs = Object.entries(CONFIGS).map(([names, { model_type: type }]) => `${names} ${String(type)}`)
  return [...ROWS.trim().split('\n'), ...configs].map(row => {
    const [hub = '', ...words] = row.split(' ')
    const names = words.filter(w => w.startsWith('='))
    return { hub, alike: names.map(n => n.slice(1)), words: words.filter(w => !names.includes(w)) }
  })
}

/** A published model by its name, long or short, in any case: `deepseek-ai/DeepSeek-R1`, `DeepSeek-R1`, `deepseek-r1`, `R1`. Throws OptionError for a name not in the list. */
export function publishedModel(name: string): PlanModel {
  const model = findPublished(name)
  if (model) return model
  throw new OptionError(
    `There is no published model ${JSON.stringify(name.slice(0, 80))} in the list; there are ${publishedNames().join(', ')}.`,
  )
}

export function findPublished(name: string): PlanModel | undefined {
  const wanted = plain(name)
  for (const entry of published()) {
    const met = [entry.hub, ...entry.alike].find(n => wanted === plain(n) || wanted === plain(shortName(n)))
    if (met) return modelOf(entry, wanted)
  }
  return undefined
}

/** A short name for each, as one may type it. */
export function publishedNames(): string[] {
  return published().map(({ hub }) => shortName(hub))
}

export function shortName(hub: string): string {
  return hub.slice(hub.lastIndexOf('/') + 1)
}

function plain(name: string): string {
  return name.trim().toLowerCase().replace(/[\s_]/g, '-')
}

/** The longest name that was meant: R1 is DeepSeek-R1. */
function titleOf({ hub, alike }: Published, wanted: string): string {
  const names = [hub, ...alike].map(shortName)
  const met = names.filter(
    n => plain(n) === plain(shortName(wanted)) || plain(n).endsWith(`-${plain(shortName(wanted))}`),
  )
  return met.sort((a, b) => b.length - a.length)[0] ?? shortName(hub)
}

function modelOf(entry: Published, wanted: string): PlanModel {
  const source = `https://huggingface.co/${entry.hub}/blob/main/config.json`
  const fields = Object.entries(CONFIGS).find(([names]) => names.split(' ')[0] === entry.hub)?.[1]
  if (fields !== undefined) return { ...planModelFromJson(fields), name: titleOf(entry, wanted), source }
  const [modelType = '', ...words] = entry.words
  const has = (word: string) => words.includes(word)
  /** The numbers behind a letter; empty where the row has none. */
  const numbers = (letter: string): number[] => {
    const word = words.find(w => w[0] === letter)
    return word ? (word.match(/\d+/g) ?? []).map(Number) : []
  }
  const one = (letter: string) => numbers(letter)[0] ?? 0
  const traits = completeTraits(traitsOf(modelType))
  const { norm, gated, sinks, tiedEmbeddings, learnedPositions } = traits
  const bias = traits.attentionBias ? { ...traits.bias, qkv: true, attentionOut: !traits.plainOutput } : traits.bias
  const layers = layerKinds(numbers)(has('select'))
  const last = layers.at(-1) as LayerKind
  return {
    name: titleOf(entry, wanted),
    source,
    modelType,
    hiddenSize: one('D'),
    vocabSize: one('V'),
    maxPositions: one('P'),
    layers,
    draftLayers: one('M') ? [{ ...last, count: one('M') }] : [],
    ...{ bias, gated, sinks },
    norm: { ...norm, perLayer: has('norms2') ? 2 : norm.perLayer },
    tiedEmbeddings: has('tied') || tiedEmbeddings,
    learnedPositions: learnedPositions ? one('P') : 0,
    weightDtype: words.find(w => /^(fp8|f16|f32|mxfp4)$/.test(w)) ?? 'bf16',
    stored: null,
    notes: [],
  }
}

const layerKinds =
  (numbers: (letter: string) => number[]) =>
  (selectionBias: boolean): LayerKind[] => {
    const [nLayers = 0] = numbers('L')
    const [nExperts, topK = 0, expertSize = 0, sharedSize = 0] = numbers('E')
    const [dense = nExperts ? 0 : nLayers] = numbers('K')
    const [windowed = 0, window = 0] = numbers('W')
    const [indexer] = numbers('I')
    const [size = 0] = numbers('F')
    const part = {
      attention: attentionOf(numbers),
      indexer: indexer ? { nHeads: indexer, headDim: 128, topK: 2048 } : null,
    }
    const mlp = nExperts
      ? ({ kind: 'moe', nExperts, topK, expertSize, sharedSize, selectionBias } as const)
      : ({ kind: 'dense', size } as const)
    // No model here has both windows and dense layers among experts.
    const kinds: LayerKind[] = [
      { ...part, count: nExperts ? dense : 0, window: null, mlp: { kind: 'dense', size } },
      { ...part, count: windowed, window, mlp },
      { ...part, count: nLayers - windowed - (nExperts ? dense : 0), window: null, mlp },
    ]
    return kinds.filter(k => k.count > 0)
  }

function attentionOf(numbers: (letter: string) => number[]): AttentionShape {
  const [nHeads = 0, nKvHeads, dim = 0] = numbers('H')
  if (nKvHeads) return { kind: 'grouped', nHeads, nKvHeads, keyDim: dim, valueDim: dim }
  const [kvLoraRank = 512, qkRopeHeadDim = 64, qkNopeHeadDim = 128, vHeadDim = 128] = numbers('C')
  const [qLoraRank = null] = numbers('Q')
  return { kind: 'latent', nHeads, qLoraRank, kvLoraRank, qkRopeHeadDim, qkNopeHeadDim, vHeadDim }
}
