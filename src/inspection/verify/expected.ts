/**
 * Numbers from another engine: `expected.safetensors` in a checkpoint's folder, or `NAME.expected.safetensors` beside
 * `NAME.gguf` (`docs/verify.md` describes the format). Per prompt p the token ids and logits, optionally hidden
 * states, attention patterns, a greedy continuation.
 */

import { readFloats, readIntegers } from '../../checkpoint/read-tensor.ts'
import { readSafetensorsHeader } from '../../checkpoint/safetensors/safetensors.ts'
import { openFile } from '../../checkpoint/source/file-source.ts'
import type { TensorEntry } from '../../checkpoint/tensor-entry.ts'
import { CheckpointError } from '../../errors.ts'
import { attends, type ModelConfig, maxHeads } from '../../nn/config.ts'
import { type ExpectedSelection, readSelection } from './selection.ts'

export interface ExpectedPrompt {
  /** As numbered in the file. */
  readonly name: string
  /** What an encoder-decoder's encoder reads; null: the model has none. */
  readonly source: ExpectedSource | null
  /** T token ids, any begin-of-text token included; of an encoder-decoder, the decoder's. */
  readonly tokens: readonly number[]
  /** [T, vocab] */
  readonly logits: Float32Array
  /** [L + 1, T, D]: embedding, after each of the files' layers, the last after the final norm. */
  readonly hidden: Float32Array | null
  /** [L, H, T, T]: probabilities. */
  readonly attention: Float32Array | null
  /** What indexers give and choose; null where the model has none or nothing is expected. */
  readonly selection: ExpectedSelection | null
  /** Greedy continuation, end-of-text ignored; of an encoder-decoder, of the first token alone. */
  readonly greedy: readonly number[] | null
}

export interface ExpectedSource {
  /** S token ids. */
  readonly tokens: readonly number[]
  /** [layers of the encoder + 1, S, D], as `ExpectedPrompt.hidden`. */
  readonly hidden: Float32Array | null
  /** [L, H, T, S]: probabilities of cross-attention. */
  readonly attention: Float32Array | null
}

const EXPECTED_FILE = 'expected.safetensors'

const REMEDY =
  '`latentkit verify --make` writes such numbers by our reference kernels, scripts/make-expected.py by transformers (docs/verify.md)'

/** Where the numbers of a model are: in its folder, or beside a GGUF file under its name without the part. */
export function expectedPath(model: string): string {
  const [, name] = /^(.*?)(?:-\d{5}-of-\d{5})?\.gguf$/is.exec(model) ?? []
  return name === undefined ? `${model}/${EXPECTED_FILE}` : `${name}.${EXPECTED_FILE}`
}

/** Reads a file of expected numbers and checks every shape against the model. */
export async function readExpected(path: string, config: ModelConfig): Promise<ExpectedPrompt[]> {
  const source = await openFile(path).catch((error: unknown) => {
    if (!(error instanceof CheckpointError)) throw error
    throw new CheckpointError(`${error.message}; ${REMEDY}`, { cause: error })
  })
  const { tensors } = await readSafetensorsHeader(source)
  const names = [...tensors.keys()].flatMap(name => /^(\d+)\.input_ids$/.exec(name)?.[1] ?? [])
  if (names.length === 0) {
    const met = [...tensors].slice(0, 4).map(([name, { shape }]) => `${name} [${shape.join(', ')}]`)
    const holds = met.length === 0 ? 'no tensors' : `${met.join(', ')}${tensors.size > met.length ? ' …' : ''}`
    const form = config.source
      ? `integers "0.input_ids" [S] and "0.decoder_input_ids" [T] and f32 "0.logits" [T, ${config.vocabSize}], at will ` +
        '"0.encoder_hidden", "0.decoder_hidden", "0.decoder_attentions", "0.cross_attentions" and "0.greedy"'
      : `integers "0.input_ids" [T] and f32 "0.logits" [T, ${config.vocabSize}], at will "0.hidden", "0.attentions" and "0.greedy"`
    throw new CheckpointError(
      `${source.path ?? source.name} holds ${holds}; expected for each prompt 0, 1, … ${form}: ${REMEDY}`,
    )
  }
  names.sort((a, b) => Number(a) - Number(b))
  return Promise.all(names.map(name => readPrompt(source.name, tensors, name, config)))
}

async function readPrompt(
  file: string,
  tensors: ReadonlyMap<string, TensorEntry>,
  name: string,
  config: ModelConfig,
): Promise<ExpectedPrompt> {
  const { vocabSize, nLayers, hiddenSize, source, layersInOne = 1 } = config
  const idsOf = async (what: string, vocabSize: number) => {
    const entry = tensors.get(`${name}.${what}`)
    const ids = entry ? await readIntegers(entry) : []
    const wrong = ids.find(id => id < 0 || id >= vocabSize)
    if (ids.length > 0 && wrong === undefined) return ids
    const met = !entry ? 'is missing' : ids.length === 0 ? 'is empty' : `holds ${wrong}`
    throw new CheckpointError(`${file}: tensor "${name}.${what}" ${met}; expected token ids below ${vocabSize}`)
  }
  const tensorOf = (what: string, shape: readonly number[]) => {
    const entry = tensors.get(`${name}.${what}`)
    if (!entry) return undefined
    if (entry.shape.length !== shape.length || shape.some((d, i) => d !== entry.shape[i])) {
      throw new CheckpointError(
        `${file}: tensor "${name}.${what}" has shape [${entry.shape.join(', ')}]; expected [${shape.join(', ')}]`,
      )
    }
    return entry
  }
  const floats = async (what: string, shape: readonly number[]) => {
    const entry = tensorOf(what, shape)
    return entry ? readFloats(entry) : null
  }
  const tokens = await idsOf(source ? 'decoder_input_ids' : 'input_ids', vocabSize)
  const T = tokens.length
  const logits = await floats('logits', [T, vocabSize])
  if (!logits) {
    throw new CheckpointError(`${file}: tensor "${name}.logits" is missing; expected [${T}, ${vocabSize}]: ${REMEDY}`)
  }
  /** Of those layers that attend, where not all do; 0 of the others. */
  const ofSomeLayers = async (): Promise<Float32Array | null> => {
    const entry = tensors.get(`${name}.attention_layers`)
    if (!entry) return null
    const layers = await readIntegers(entry)
    const size = maxHeads(config) * T * T
    const found = await floats('layer_attentions', [layers.length, maxHeads(config), T, T])
    if (!found) return null
    const all = new Float32Array(nLayers * size)
    for (const [i, named] of layers.entries()) {
      // A layer with several attentions is named once for each.
      const layer = named * layersInOne + layers.slice(0, i).filter(other => other === named).length
      const attention = config.layers[layer]?.attention
      if (!attention || !attends(attention)) {
        throw new CheckpointError(
          `${file}: tensor "${name}.attention_layers" names layer ${named}, which does not attend in this model, or too often`,
        )
      }
      all.set(found.subarray(i * size, (i + 1) * size), layer * size)
    }
    return all
  }
  const greedy = tensors.get(`${name}.greedy`)
  const by = source ? 'decoder_' : ''
  return {
    name,
    source: source ? await readSource(source.encoder) : null,
    tokens,
    logits,
    hidden: await floats(`${by}hidden`, [nLayers / layersInOne + 1, T, hiddenSize]),
    attention: (await floats(`${by}attentions`, [nLayers, maxHeads(config), T, T])) ?? (await ofSomeLayers()),
    selection: await readSelection(tensorOf, config, T),
    greedy: greedy ? await readIntegers(greedy) : null,
  }

  async function readSource(encoder: ModelConfig): Promise<ExpectedSource> {
    const ids = await idsOf('input_ids', encoder.vocabSize)
    return {
      tokens: ids,
      hidden: await floats('encoder_hidden', [encoder.nLayers + 1, ids.length, hiddenSize]),
      attention: await floats('cross_attentions', [nLayers, maxHeads(config), T, ids.length]),
    }
  }
}
