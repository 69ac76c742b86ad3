/** Runs of training in float64 by transformers: initial weights, batches, gradients, and what 20 steps of AdamW made of them. */
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openModel } from '../../src/model/open/open-model.ts'
import type { OpenedModel } from '../../src/model/open/opened-model.ts'
import type { TrainingText } from '../../src/training/training-texts.ts'
import { readSafetensors } from '../support/safetensors.ts'

/** LATENTKIT_FIXTURES: a folder of such runs, or one with them in `training`. Default: those beside the project. */
const ROOT = process.env.LATENTKIT_FIXTURES ?? fileURLToPath(new URL('../../../shared/fixtures', import.meta.url))
const OWN = fileURLToPath(new URL('../fixtures/training', import.meta.url))

export interface Expected {
  readonly loss: number
  readonly grad_norm: number
  readonly losses: readonly number[]
  readonly grad_norms: readonly number[]
  readonly final_loss_on_batch_0: number
  readonly ill_conditioned: Readonly<Record<string, readonly [number, number]>>
  readonly adamw: {
    readonly lr: number
    readonly beta1: number
    readonly beta2: number
    readonly eps: number
    readonly weight_decay: number
    readonly clip_norm: number
    readonly clip_eps: number
    readonly steps: number
    readonly not_decayed: readonly string[]
  }
  readonly checks: {
    readonly same_run_in_float32: {
      readonly loss_error: number
      readonly max_gradient_error_relative_by_tensor: number
      readonly max_loss_error_20_steps: number
      readonly max_final_weight_error: number
      readonly rms_final_weight_error: number
    }
  }
}

export interface TrainingRun {
  readonly expected: Expected
  readonly model: OpenedModel
  /** Of each step. */
  readonly batches: readonly (readonly TrainingText[])[]
  readonly gradients: ReadonlyMap<string, Float32Array>
  readonly final: ReadonlyMap<string, Float32Array>
}

/** Folders by name. */
export function trainingRuns(): Map<string, string> {
  const found = new Map<string, string>()
  for (const root of [OWN, join(ROOT, 'training'), ROOT].filter(existsSync)) {
    for (const name of readdirSync(root)) {
      const folder = join(root, name)
      if (!found.has(name) && existsSync(join(folder, 'gradients.safetensors'))) found.set(name, folder)
    }
  }
  return found
}

function floats(file: string): Map<string, Float32Array> {
  return new Map([...readSafetensors(file)].map(([name, { data }]) => [name, data as Float32Array]))
}

export async function readRun(folder: string): Promise<TrainingRun> {
  const place = mkdtempSync(join(tmpdir(), 'latentkit-training-'))
  copyFileSync(join(folder, 'config.json'), join(place, 'config.json'))
  copyFileSync(join(folder, 'initial.safetensors'), join(place, 'model.safetensors'))
  const ids = readSafetensors(join(folder, 'batches.safetensors')).get('input_ids')
  if (!ids) throw new Error(`${folder}: no input_ids`)
  const [steps, texts, length] = ids.shape as [number, number, number]
  const numbers = Array.from(ids.data as ArrayLike<number | bigint>, Number)
  const batches = Array.from({ length: steps }, (_, step) =>
    Array.from({ length: texts }, (_, text) => {
      const tokens = numbers.slice((step * texts + text) * length, (step * texts + text + 1) * length)
      return { tokens: tokens.slice(0, -1), targets: tokens.slice(1) }
    }),
  )
  return {
    expected: JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')),
    model: await openModel(place),
    batches,
    gradients: floats(join(folder, 'gradients.safetensors')),
    final: floats(join(folder, 'final.safetensors')),
  }
}
