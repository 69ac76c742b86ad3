/** `latentkit latentify`: grouped attention becomes latent attention. */
import { stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { resolve } from 'node:path'
import { Checkpoint } from '../checkpoint/checkpoint.ts'
import { resolveModel } from '../checkpoint/find/resolve-model.ts'
import { hubSettings } from '../checkpoint/hub/options.ts'
import { recoded } from '../checkpoint/recode/recoded.ts'
import type { TensorEntry } from '../checkpoint/tensor-entry.ts'
import { checkPlace, filesOf } from '../conversion/convert.ts'
import { prepareGguf } from '../conversion/gguf/convert.ts'
import { hubType, prepareFolder } from '../conversion/hub/convert.ts'
import { alone } from '../conversion/output.ts'
import { readSourceModel, type SourceModel } from '../conversion/source-model.ts'
import { OptionError, UnsupportedModelError } from '../errors.ts'
import { openModel } from '../model/open/open-model.ts'
import { modelOf, type OpenedModel } from '../model/open/opened-model.ts'
import { ropeFrequencies } from '../nn/attention/rope.ts'
import { text } from '../options/kinds.ts'
import { readArgument, readOptions } from '../options/read-options.ts'
import { sentence } from '../printable.ts'
import { readAttention } from './attention.ts'
import { calibrated } from './calibrated.ts'
import { cardFiles } from './card.ts'
import { factorise, keptWhole, type LayerFactors, wholeFrequencies } from './factors.ts'
import { type FormOptions, latentConfig, layerTensors, type RopeForm } from './form.ts'
import { momentsOf } from './moments.ts'
import { LATENTIFY_OPTIONS, type LatentifyOptions } from './options.ts'
import { isWhole, originalSize, type Plan, planOf, type Sizes, sizesOf } from './plan.ts'
import { foldedSlots, plainFrequencies } from './slots.ts'
import { unreadable } from './text.ts'
import { WorkFolder } from './work-folder.ts'

/** Result of `latentifyModel`. */
export interface Latentification {
  /** Path of the original. */
  readonly input: string
  /** The path that was given. */
  readonly output: string
  /** `gguf` if `output` ends in .gguf. */
  readonly format: 'gguf' | 'safetensors'
  /** Of the original. */
  readonly modelType: string
  /** Numbers cached per token and layer. */
  readonly cache: {
    /** By the original: keys and values of its key-value heads. */
    readonly before: number
    /** `rank` + `rope`. */
    readonly after: number
    /** C, of the latent. */
    readonly rank: number
    /** R, of the rope key. */
    readonly rope: number
  }
  /** Base of the rope key's frequencies; null where they are a list. */
  readonly theta: number | null
  /** Tokens of the calibration text that were read; 0 where nothing is lost. */
  readonly calibrationTokens: number
  /** By layer: the share of the weighted energy of keys and values that the latent does not hold, 0 to 1. */
  readonly lossByLayer: readonly number[]
  /** Of all files. */
  readonly bytes: number
  /** Paths of the files that were written. */
  readonly files: readonly string[]
  /** One sentence each. */
  readonly warnings: readonly string[]
}

const THETA = 10_000
const BALANCE = 2

/** See `lazy.ts`. */
export async function latentifyModel(
  input: string,
  output: string,
  given: LatentifyOptions = {},
): Promise<Latentification> {
  const options = readOptions<LatentifyOptions>(LATENTIFY_OPTIONS, 'latentifyModel', given)
  for (const [name, value] of Object.entries({ input, output })) readArgument(text, name, value)
  const { signal, onProgress, force = false, weights } = options
  const report = (stage: Stage, done: number, total: number, file: string = stage) =>
    onProgress?.({ stage, done, total, file })
  const path = await resolveModel(input, {
    ...hubSettings({}, homedir()),
    ...options.hub,
    ...(options.offline && { offline: true }),
    ...(signal && { signal }),
    onProgress: event => report(event.status as Stage, event.loaded, event.total, event.file),
  })
  const opened = await openModel(path)
  const format = /\.gguf$/i.test(output) ? 'gguf' : 'safetensors'
  await checkPlace([path, ...filesOf(opened)], output, format, force)
  const source = await readSourceModel(opened)
  const plan = planOf(source)
  const sizes = sizesOf(plan, options)
  const whole = isWhole(plan, sizes)
  checkForm(format, plan, source, weights)
  if (!whole && options.calibrate === undefined) {
    throw new OptionError('calibrate is not given; expected the path of a text, since only a part of the cache is kept')
  }
  const ropeForm = ropeFormOf(plan, sizes, options)
  const form: FormOptions = { biased: plan.biased, queryLatent: options.queryLatent ?? needsQueryLatent(format, plan) }

  return alone(output, async () => {
    const identity = await identityOf(source, options)
    const work = await WorkFolder.open(`${resolve(output)}.latentify`, identity)
    try {
      const tokens = whole ? 0 : await calibrated(path, source, plan, work, options)
      const entries = new Map<string, TensorEntry>()
      const lossByLayer: number[] = []
      report('factor', 0, plan.layers)
      for (let layer = 0; layer < plan.layers; layer++) {
        signal?.throwIfAborted()
        const attention = await readAttention(source, plan, layer)
        let factors: LayerFactors
        if (whole) factors = keptWhole(attention)
        else {
          const slots = foldedSlots(attention.frequencies, plainFrequencies(sizes.rope, theta(ropeForm)))
          const moments = momentsOf(attention, await work.statistics(layer), attention.scale)
          factors = await factorise(attention, moments, slots, {
            rank: sizes.rank,
            balance: options.balance ?? BALANCE,
          })
        }
        lossByLayer.push(factors.loss)
        const tensors = layerTensors(plan, sizes, attention, factors, layer, form)
        for (const entry of await work.keepTensors(layer, tensors, whole ? 'f32' : newType(source)))
          entries.set(entry.name, entry)
        report('factor', layer + 1, plan.layers)
      }
      const made = latentModel(source, entries, latentConfig(source, plan, sizes, ropeForm, form))
      const model = await readSourceModel(made)
      const balance = options.balance ?? BALANCE
      const texts = cardFiles({
        ...{ input: path, modelType: source.config.modelType, plan, sizes, before: originalSize(plan), balance },
        ...{ calibrate: options.calibrate, calibrationTokens: tokens, lossByLayer },
        theta: 'theta' in ropeForm ? ropeForm.theta : null,
      })
      const types = weights ? { weights } : {}
      const prepared = format === 'gguf' ? prepareGguf(model, types) : prepareFolder(model, { ...types, texts })
      let written = 0
      const onWrite = (file: string, bytes: number) => {
        written += bytes
        report('write', written, prepared.bytes, file)
      }
      await checkPlace([path, ...filesOf(opened)], output, format, force)
      const { files } = await prepared.write(output, { onWrite, signal })
      if (whole || !options.keepWork) await work.remove()
      else await work.dropTensors()
      return {
        input: path,
        output,
        format,
        modelType: source.config.modelType,
        cache: { before: originalSize(plan), after: sizes.rank + sizes.rope, ...sizes },
        theta: 'theta' in ropeForm ? ropeForm.theta : null,
        calibrationTokens: tokens,
        lossByLayer,
        bytes: prepared.bytes,
        files,
        warnings: [
          ...opened.checkpoint.warnings,
          ...source.warnings,
          ...windowWarnings(plan),
          ...prepared.warnings,
        ].map(text => sentence(text)),
      } satisfies Latentification
    } catch (error) {
      // Nothing of value is in it yet.
      if (whole) await work.remove()
      throw error
    }
  })
}

type Stage = Parameters<NonNullable<LatentifyOptions['onProgress']>>[0]['stage']

/** What the writer of this form would refuse once all is computed. */
function checkForm(
  format: Latentification['format'],
  { biased }: Plan,
  { checkpoint }: SourceModel,
  weights: LatentifyOptions['weights'],
): void {
  if (format === 'safetensors') hubType(weights)
  else if (biased) {
    throw new UnsupportedModelError(
      `${checkpoint.name} has biases of attention, for which llama.cpp's architecture deepseek2 has no place; give a folder as the output`,
    )
  }
}

function theta(form: RopeForm): number {
  return 'theta' in form ? form.theta : THETA
}

/** Where all pairs of several groups keep their rotation, each frequency comes several times, which no base gives. */
function ropeFormOf(plan: Plan, sizes: Sizes, options: LatentifyOptions): RopeForm {
  if (!isWhole(plan, sizes)) return { theta: options.theta ?? THETA }
  const { rope, groups } = plan
  if (groups === 1 && rope.scaling.kind === 'none') return { theta: rope.theta }
  const frequencies = ropeFrequencies(rope).frequencies
  return { frequencies: wholeFrequencies({ frequencies, groups }) }
}

function needsQueryLatent(format: Latentification['format'], { layers }: Plan): boolean {
  return format === 'gguf' && layers !== 26 && layers !== 27
}

/** Attention is new, and so is config.json; the rest is the original's. */
function latentModel(source: SourceModel, attention: ReadonlyMap<string, TensorEntry>, config: object): OpenedModel {
  const tensors = new Map(attention)
  for (const weight of source.weights) {
    if (/\.self_attn\.([qkv]_proj\.(weight|bias)|o_proj\.bias)$/.test(weight.name)) continue
    const { name, dtype, rows, cols, bytes } = weight.scales ? recoded(weight, 'bf16') : weight
    const shape = weight.role === 'vector' ? [cols] : [rows, cols]
    tensors.set(name, { name, dtype: dtype.toUpperCase(), shape, bytes })
  }
  const { checkpoint } = source
  return modelOf(new Checkpoint({ ...checkpoint, config: config as Checkpoint['config'], tensors, absent: new Map() }))
}

/** bf16 loses nothing that weights of 16 bits or fewer had to begin with. */
function newType(source: SourceModel): 'f32' | 'bf16' {
  return source.weights.some(({ name, dtype }) => name.endsWith('.q_proj.weight') && dtype === 'f32') ? 'f32' : 'bf16'
}

/** What statistics depend on: files as they are now, and how much is read. */
async function identityOf(
  { weights }: SourceModel,
  { calibrate, calibrationTokens }: LatentifyOptions,
): Promise<object> {
  const sources = new Set(weights.map(({ bytes }) => bytes.source))
  const files = [...sources].map(({ path, name, size, modified }) => [path ?? name, size, String(modified)])
  if (calibrate === undefined) return { files }
  const { size, mtimeMs } = await stat(calibrate).catch(error => unreadable(calibrate, error))
  return { files, text: [calibrate, size, mtimeMs], calibrationTokens }
}

function windowWarnings({ window }: Plan): string[] {
  if (window === null) return []
  return [
    `The sliding window of ${window} tokens is kept by latentkit; transformers and llama.cpp compute without one beyond it`,
  ]
}
