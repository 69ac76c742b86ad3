/**
 * The folder of a run: `run.json` (model and options), `log.jsonl` (a line for each step and validation), the texts' tokens
 * (`texts/run-texts.ts`) and a folder for each checkpoint, `step-000200`: the model as the hub has it, and beside it what a run needs to go on bit for bit.
 */
import { appendFile, mkdir, readdir, readFile, rename, rm, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { readJson } from '../../checkpoint/json-file.ts'
import { readSafetensorsHeader } from '../../checkpoint/safetensors/safetensors.ts'
import { openFile } from '../../checkpoint/source/file-source.ts'
import { writeSafetensors } from '../../conversion/hub/write-safetensors.ts'
import { writeError, writeWhole } from '../../conversion/output.ts'
import { beginPartial, endPartial } from '../../files/partial-files.ts'
import { isReserved, reserve } from '../../files/reserve.ts'
import { show } from '../../options/show.ts'
import { TrainingError } from './errors.ts'
import { f32Tensor } from './f32-tensor.ts'
import { completed } from './settings.ts'
import { TOKENS, UNFINISHED_TOKENS } from './texts/token-names.ts'

/** Numbers by name, as a run goes on from them. */
export type State = ReadonlyMap<string, Float32Array>

/** What a checkpoint says of its run. */
export interface Progress {
  /** Steps taken. */
  readonly step: number
  /** The lowest validation loss so far, and its step; null: none was measured. */
  readonly best: { readonly step: number; readonly loss: number } | null
}

export type LogLine = Readonly<Record<string, unknown>> & { readonly step: number }

export const RUN = 'run.json'
export const LOG = 'log.jsonl'
const STATE = 'training.safetensors'
const PROGRESS = 'training.json'
/** Bytes. */
export const MAX_JSON = 1 << 20
export const CHECKPOINT = /^step-(\d{6,})$/
const PARTIAL = /^(step-\d{6,}|run\.json|log\.jsonl)\..*partial$/
/** What a process has not finished, or was killed before it could. */
const isUnfinished = (name: string) => PARTIAL.test(name) || UNFINISHED_TOKENS.test(name)

export class RunFolder {
  readonly path: string
  readonly #release: () => Promise<void>
  /** Whether the folder was made for a run that has not begun. */
  #isNew: boolean

  private constructor(path: string, release: () => Promise<void>, isNew: boolean) {
    this.path = path
    this.#release = release
    this.#isNew = isNew
  }

  /**
   * The folder, for this process alone until `close`. Throws TrainingError where it holds something else than a run, or another process
   * writes to it; ConversionError where it cannot be written.
   */
  static async open(path: string): Promise<RunFolder> {
    const [release, isNew] = await writing(path, async () => {
      const made = await mkdir(path, { recursive: true })
      return [await reserve(path), made !== undefined] as const
    })
    if (!release)
      throw new TrainingError(`Another process trains in ${path} now; wait for its end or give another folder`)
    try {
      const found = await readdir(path)
      for (const name of found.filter(isUnfinished)) {
        const tokens = UNFINISHED_TOKENS.exec(name)?.[1]
        // Another run, whose tokenFolder this is, may write them now.
        if (tokens !== undefined && (await isReserved(join(path, tokens)))) continue
        await rm(join(path, name), { recursive: true, force: true })
      }
      const others = found.filter(name => name !== '.writing' && !isUnfinished(name) && !TOKENS.test(name))
      if (others.length > 0 && !others.includes(RUN)) {
        throw new TrainingError(`${path} is not empty and holds no run; give a new folder`)
      }
      return new RunFolder(path, release, isNew)
    } catch (error) {
      await release()
      throw error
    }
  }

  /** Begins the run, or takes it up. Throws TrainingError where the folder holds a run of another model or with other options. */
  async begin(settings: Readonly<Record<string, unknown>>): Promise<void> {
    const file = join(this.path, RUN)
    if (!(await readdir(this.path)).includes(RUN)) {
      await writeText(file, textOf(settings))
      this.#isNew = false
      return
    }
    const written = await readJson(await openFile(file), MAX_JSON).catch((error: Error) => {
      throw new TrainingError(`${error.message}; give a new folder`, { cause: error })
    })
    const before = completed(written)
    for (const key of new Set([...Object.keys(before), ...Object.keys(settings)])) {
      const [was, is] = [before[key], settings[key]].map(value => JSON.stringify(value))
      if (was === is) continue
      const met = `${this.path} holds a run with ${key} ${setting(before[key])}, not ${setting(settings[key])}`
      throw new TrainingError(`${met}; give what it was begun with, or another folder`)
    }
    // From now on it says all that decides it, whatever later versions do by default.
    if (Object.keys(before).some(key => !(key in written))) await writeText(file, textOf(settings))
  }

  /** Removes the folder if it was made for a run that has not begun. */
  async close(): Promise<void> {
    await this.#release()
    if (this.#isNew) await rmdir(this.path).catch(() => {})
  }

  /** Steps of which there is a checkpoint, rising. */
  async checkpoints(): Promise<number[]> {
    const names = await readdir(this.path)
    return names
      .flatMap(name => CHECKPOINT.exec(name)?.[1] ?? [])
      .map(Number)
      .sort((a, b) => a - b)
  }

  checkpoint(step: number): string {
    return join(this.path, `step-${String(step).padStart(6, '0')}`)
  }

  /** Writes a checkpoint, whole or not at all. `write` makes its folder. */
  async save(progress: Progress, write: (folder: string) => Promise<unknown>, state: State): Promise<string> {
    const place = this.checkpoint(progress.step)
    const partial = `${place}.partial`
    beginPartial(partial)
    try {
      await write(partial)
      const tensors = [...state].map(([name, numbers]) => f32Tensor(name, [numbers.length], numbers))
      await writeWhole(join(partial, STATE), output => writeSafetensors(output, tensors))
      await writeText(join(partial, PROGRESS), `${JSON.stringify(progress)}\n`)
      await rm(place, { recursive: true, force: true })
      await rename(partial, place)
    } catch (error) {
      await rm(partial, { recursive: true, force: true })
      throw error
    } finally {
      endPartial(partial)
    }
    return place
  }

  /** What the newest checkpoint holds; null: there is none. Throws TrainingError where it cannot be read. */
  async last(): Promise<{ readonly progress: Progress; readonly state: State } | null> {
    const step = (await this.checkpoints()).at(-1)
    if (step === undefined) return null
    const folder = this.checkpoint(step)
    try {
      const progress = (await readJson(await openFile(join(folder, PROGRESS)), MAX_JSON)) as unknown as Progress
      if (progress.step !== step) throw new RangeError(`${PROGRESS} is of step ${show(progress.step)}`)
      const source = await openFile(join(folder, STATE))
      const state = new Map<string, Float32Array>()
      for (const { name, bytes } of (await readSafetensorsHeader(source)).tensors.values()) {
        const stored = new Uint8Array(await bytes.source.read(bytes.offset, bytes.length))
        state.set(name, new Float32Array(stored.buffer))
      }
      return { progress, state }
    } catch (error) {
      throw this.damaged(step, error)
    }
  }

  /** What is thrown where a checkpoint cannot be taken up. */
  damaged(step: number, error: unknown): TrainingError {
    const met = `${this.checkpoint(step)} cannot be taken up: ${(error as Error).message}`
    return new TrainingError(`${met}; remove it, and the run goes on after the checkpoint before it`, { cause: error })
  }

  /** Removes checkpoints but the newest `keep` and that of the best validation. */
  async prune(keep: number, best: number | undefined): Promise<void> {
    const steps = await this.checkpoints()
    for (const step of steps.slice(0, -keep)) {
      if (step !== best) await rm(this.checkpoint(step), { recursive: true })
    }
  }

  async log(line: LogLine): Promise<void> {
    await writing(this.path, () => appendFile(join(this.path, LOG), `${JSON.stringify(line)}\n`))
  }

  /** Forgets what the log says of later steps, which will be taken again, and a line that was cut. */
  async cutLog(step: number): Promise<void> {
    const file = join(this.path, LOG)
    const lines = (await readFile(file, 'utf8').catch(() => '')).split('\n').filter(line => stepOf(line) <= step)
    await writeText(file, lines.map(line => `${line}\n`).join(''))
  }
}

function textOf(settings: Readonly<Record<string, unknown>>): string {
  return `${JSON.stringify(settings, null, 2)}\n`
}

/** For messages. */
function setting(value: unknown): string {
  if (value === undefined) return 'none'
  return Array.isArray(value) ? value.map(show).join(', ') : show(value)
}

function stepOf(line: string): number {
  try {
    return (JSON.parse(line) as LogLine).step
  } catch {
    return Number.POSITIVE_INFINITY
  }
}

async function writing<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw writeError(path, error)
  }
}

function writeText(file: string, text: string): Promise<void> {
  return writeWhole(file, output => output.write(new TextEncoder().encode(text)))
}
