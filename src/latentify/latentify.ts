/** `latentkit latentify`: grouped attention becomes latent attention. */
import { homedir } from 'node:os'
import { resolve } from 'node:path'
import { resolveModel } from '../checkpoint/find/resolve-model.ts'
import { hubSettings } from '../checkpoint/hub/options.ts'
import { checkPlace, filesOf } from '../conversion/convert.ts'
import { prepareGguf } from '../conversion/gguf/convert.ts'
import { hubType, prepareFolder } from '../conversion/hub/convert.ts'
import { alone } from '../conversion/output.ts'
import { readSourceModel, type SourceModel } from '../conversion/source-model.ts'
import { OptionError, UnsupportedModelError } from '../errors.ts'
import { openModel } from '../model/open/open-model.ts'
import { text } from '../options/kinds.ts'
import { readArgument, readOptions } from '../options/read-options.ts'
import { sentence } from '../printable.ts'
import { calibrated } from './calibrated.ts'
import { newType } from './candidate.ts'
import { checkOptions, checkWhole, isHealed } from './check.ts'
import { bestOf, choiceFor, smallestChoice } from './choosing.ts'
import type { FormOptions } from './form.ts'
import { healedModel, healingText } from './heal/healed.ts'
import { checkMemory, healingBytes } from './heal/memory.ts'
import { identityOf, identityOfText } from './identity.ts'
import { licenceOf } from './licence.ts'
import { Meter } from './measure.ts'
import { LATENTIFY_OPTIONS, type LatentifyOptions } from './options.ts'
import { Original, readingOf, windowOf } from './original.ts'
import { type Plan, planOf } from './plan.ts'
import { reportFiles, writeBeside } from './report.ts'
import type { Latentification } from './result.ts'
import { choiceOf, isWhole, originalSize, thetaOf } from './sizes.ts'
import { type Trial, Trials } from './trials.ts'
import { WorkFolder } from './work-folder.ts'

const BALANCE = 2

/** See `lazy.ts`. */
export async function latentifyModel(
  input: string,
  output: string,
  given: LatentifyOptions = {},
): Promise<Latentification> {
  const options = readOptions<LatentifyOptions>(LATENTIFY_OPTIONS, 'latentifyModel', given)
  for (const [name, value] of Object.entries({ input, output })) readArgument(text, name, value)
  checkOptions(options)
  const { signal, onProgress, force = false, weights, pplWithin, also = [] } = options
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
  const fixed = pplWithin === undefined ? choiceOf(plan, options) : null
  const whole = fixed !== null && isWhole(plan, fixed)
  if (whole) checkWhole(options)
  const others = also.map(ratio => choiceFor(plan, options, ratio))
  const { calibrate, calibrationTokens, measure: held } = readingOf(options)
  if (isHealed(options)) {
    // A size that is yet to be found is no larger.
    const largest = fixed ?? { rank: originalSize(plan), rope: 0 }
    checkMemory(healingBytes(source, plan, largest, windowOf(source.config.maxPositions)))
  }
  checkForm(format, plan, source, weights)
  const form: FormOptions = { biased: plan.biased, queryLatent: options.queryLatent ?? needsQueryLatent(format, plan) }

  if (options.healText !== undefined) await identityOfText(options.healText, 'healText')

  return alone(output, async () => {
    const reading = whole ? null : { calibrate, calibrationTokens, held }
    const work = await WorkFolder.open(`${resolve(output)}.latentify`, await identityOf(source, reading))
    const original = new Original(path, options)
    try {
      const healedFrom = healingText(options)
      // Too short a text is found now, not when all else is computed.
      if (healedFrom !== null) await original.healingWindows(healedFrom)
      const tokens = whole ? 0 : await calibrated(original, source, plan, work, options)
      const balance = options.balance ?? BALANCE
      const onLayer = (done: number) => report('factor', done, plan.layers)
      const windows = whole || held === 0 ? [] : (await original.windows()).held
      const onWindow = (done: number) => report('measure', done, windows.length)
      const measures = pplWithin !== undefined || others.length > 0 || options.search === true
      if (windows.length === 0 && measures) throw tooShortToMeasure()
      const meter = windows.length === 0 ? null : new Meter(original, windows, { ...options, onWindow })
      const numerics = meter ? (await original.parts()).kernels.info.numerics : ''
      const trials = await Trials.open({ source, plan, work, form, balance, signal, onLayer }, meter, numerics)
      for (const other of others) await trials.measure(await bestOf(plan, options, trials, other))
      const choice = fixed
        ? await bestOf(plan, options, trials, fixed)
        : await smallestChoice(plan, { ...options, pplWithin: pplWithin as number }, trials)
      await trials.measure(choice)
      const candidate = await trials.candidate(choice)
      const healing = { original, candidate, work, meter, type: newType(source), balance, form, options }
      const healed = isHealed(options) ? await healedModel(healing) : null
      const { opened: made } = healed ?? candidate
      const model = await readSourceModel(made)
      const { rank, rope } = choice
      const size = originalSize(plan)
      const facts = {
        ...{ input: path, modelType: source.config.modelType },
        cache: { before: size, after: rank + rope, rank, rope },
        bytesPerToken: { before: bytesOf(plan, size), after: bytesOf(plan, rank + rope) },
        ...{ theta: thetaOf(choice), calibrationTokens: tokens, lossByLayer: candidate.lossByLayer },
        measured: measurementOf(meter, windows, trials.measured),
        healing: healed?.healing ?? null,
      }
      const licence = await licenceOf(path, opened)
      const texts = reportFiles({ ...facts, plan, balance, licence, calibrate: whole ? null : calibrate })
      const types = weights ? { weights } : {}
      const prepared = format === 'gguf' ? prepareGguf(model, types) : prepareFolder(model, { ...types, texts })
      let written = 0
      const onWrite = (file: string, bytes: number) => {
        written += bytes
        report('write', written, prepared.bytes, file)
      }
      await checkPlace([path, ...filesOf(opened)], output, format, force)
      const { files } = await prepared.write(output, { onWrite, signal })
      const beside = format === 'gguf' ? await writeBeside(output, texts) : []
      if (whole || !options.keepWork) await work.remove()
      else await work.dropTensors()
      return {
        ...facts,
        ...{ output, format, bytes: prepared.bytes, files: [...files, ...beside] },
        warnings: [
          ...opened.checkpoint.warnings,
          ...source.warnings,
          ...windowWarnings(plan),
          ...prepared.warnings,
        ].map(text => sentence(text)),
      } satisfies Latentification
    } catch (error) {
      // Else there is something to go on from.
      if (whole || (await work.isEmpty())) await work.remove()
      throw error
    } finally {
      await original.dispose()
    }
  })
}

type Stage = Parameters<NonNullable<LatentifyOptions['onProgress']>>[0]['stage']

function tooShortToMeasure(): OptionError {
  return new OptionError(
    'The calibration text has no windows to hold back, on which sizes could be measured; expected a longer text',
  )
}

function measurementOf(
  meter: Meter | null,
  windows: readonly Int32Array[],
  sizes: readonly Trial[],
): Latentification['measured'] {
  if (!meter || meter.original === null) return null
  return { windows: windows.length, tokens: meter.scored, perplexity: meter.original, sizes }
}

/** Of f16, per token. */
function bytesOf({ layers }: Plan, numbers: number): number {
  return 2 * layers * numbers
}

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

function needsQueryLatent(format: Latentification['format'], { layers }: Plan): boolean {
  return format === 'gguf' && layers !== 26 && layers !== 27
}

function windowWarnings({ window }: Plan): string[] {
  if (window === null) return []
  return [
    `The sliding window of ${window} tokens is kept by latentkit; transformers and llama.cpp compute without one beyond it`,
  ]
}
