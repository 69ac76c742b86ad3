/** Runs as their folders tell of them, for lists and pictures. */
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { readJson } from '../../checkpoint/json-file.ts'
import { openFile } from '../../checkpoint/source/file-source.ts'
import { isReserved } from '../../files/reserve.ts'
import { TrainingError } from './errors.ts'
import { CHECKPOINT, LOG, MAX_JSON, RUN } from './run-folder.ts'

/** A run of training as its folder tells of it. */
export interface RunRecord {
  /** Its path. */
  readonly folder: string
  /** The model that it began with, and every setting that decides its numbers, as `run.json` has them. */
  readonly settings: Readonly<Record<string, unknown>>
  /** `training`: a process is at it. `stopped`: steps are left; the same call goes on with it. */
  readonly state: 'done' | 'training' | 'stopped'
  /** Steps of the whole run. */
  readonly wantedSteps: number
  /** One for each step that was taken. */
  readonly steps: readonly LoggedStep[]
  /** Losses of the texts that are not learned from. */
  readonly validations: readonly {
    /** Steps made before it. */
    readonly step: number
    /** Mean, in nats per token. */
    readonly loss: number
  }[]
  /** Shares of HellaSwag's questions that were answered rightly. */
  readonly evaluations: readonly {
    /** Steps made before it. */
    readonly step: number
    /** From 0 to 1. */
    readonly hellaswag: number
  }[]
  /** Steps of which there is a checkpoint. */
  readonly checkpoints: readonly number[]
  /** When its log was last written. */
  readonly updated: Date
}

/** A step as the log has it: the fields of TrainingStep; those that an older run did not log are absent. */
export interface LoggedStep {
  /** Counted from 1. */
  readonly step: number
  /** In nats per token. */
  readonly loss: number
  /** Before clipping. */
  readonly gradientNorm: number
  /** The learning rate. */
  readonly rate: number
  /** Passes over the texts, the current one counted. */
  readonly epoch: number
  /** Tokens of the step. */
  readonly tokens: number
  /** Time of the step. */
  readonly seconds: number
  /** Of the machine's measured peak, 0 to 1. */
  readonly share?: number | null
  /** Of models with experts: the busiest expert's load over the mean. */
  readonly imbalance?: number
  /** Of each layer with experts, how many tokens chose each. */
  readonly loads?: readonly (readonly number[])[]
  /** Of modules of multi-token prediction. */
  readonly predictionLoss?: number
  /** DPO: share of pairs whose margin is above 0. */
  readonly accuracy?: number
  /** DPO: the mean over pairs. */
  readonly margin?: number
}

/** The runs in these folders, each a run's own or one that holds some, by their order and names. Throws TrainingError where there is none. */
export async function readRuns(folders: readonly string[]): Promise<RunRecord[]> {
  const runs: RunRecord[] = []
  for (const folder of folders) {
    const names = await readdir(folder).catch(() => null)
    if (!names) throw new TrainingError(`${folder} is not there; expected the folder of a run, or one that holds runs`)
    if (names.includes(RUN)) {
      runs.push(await readRun(folder))
      continue
    }
    const inside = names.sort().map(name => join(folder, name))
    const found = []
    for (const path of inside) if (await stat(join(path, RUN)).catch(() => null)) found.push(path)
    if (found.length === 0) throw new TrainingError(`${folder} holds no run; expected folders that "train" has written`)
    for (const path of found) runs.push(await readRun(path))
  }
  return runs
}

async function readRun(folder: string): Promise<RunRecord> {
  const file = join(folder, RUN)
  const settings = await readJson(await openFile(file), MAX_JSON)
  const log = join(folder, LOG)
  const lines = (await readFile(log, 'utf8').catch(() => '')).split('\n').flatMap(parsed)
  const steps = lines.filter(line => typeof line.loss === 'number') as unknown as LoggedStep[]
  const validations = lines.flatMap(({ step, validation }) =>
    typeof validation === 'number' ? [{ step, loss: validation }] : [],
  )
  const evaluations = lines.flatMap(({ step, hellaswag }) =>
    typeof hellaswag === 'number' ? [{ step, hellaswag }] : [],
  )
  const checkpoints = (await readdir(folder)).flatMap(name => CHECKPOINT.exec(name)?.[1] ?? []).map(Number)
  checkpoints.sort((a, b) => a - b)
  const wantedSteps = typeof settings.steps === 'number' ? settings.steps : 0
  const isDone = checkpoints.at(-1) === wantedSteps
  const state = isDone ? 'done' : (await isReserved(folder)) ? 'training' : 'stopped'
  const { mtime: updated } = await stat(log).catch(() => stat(file))
  return { folder, settings, state, wantedSteps, steps, validations, evaluations, checkpoints, updated }
}

/** A line that is being written, or was cut, is left out. */
function parsed(line: string): (Readonly<Record<string, unknown>> & { readonly step: number })[] {
  try {
    const value = JSON.parse(line)
    return typeof value?.step === 'number' ? [value] : []
  } catch {
    return []
  }
}
