/** What the planner is asked for, between the address and `plan`. */
import { type PlanModel, planModelFromJson, published, publishedModel } from '../../../../src/planning/index.ts'

type Params = Readonly<Record<string, string>>

export interface PlannerSettings {
  readonly model: PlanModel
  readonly context: number
  readonly batch: number
  readonly cacheType: string
  /** undefined: as published. */
  readonly weights: string | undefined
}

export const DEFAULTS = { model: 'DeepSeek-R1', context: 100_000, batch: 1, cacheType: 'bf16' }
export const CACHE_TYPES = ['bf16', 'f32', 'fp8', 'q8_0', 'q4_0']
export const WEIGHT_TYPES = ['bf16', 'fp8', 'q8_0', 'q4_k']
export const MAX_CONTEXT = 2 ** 20
export const MAX_BATCH = 1024

/** In place of a published model's name: the one that is open in the other views. */
export const LOADED = 'loaded'

/** Short names of published models, as people know them: R1 beside V3, whose sizes it has. */
export const MODEL_NAMES: readonly string[] = [
  ...new Set(
    published().flatMap(({ hub, alike }) =>
      [hub, ...alike.filter(name => name.includes('/'))].map(name => name.slice(name.lastIndexOf('/') + 1)),
    ),
  ),
].sort((a, b) => a.localeCompare(b))

/** `loaded`: the open model, where it is chosen. Throws an error whose message is for the user where the config is not one. */
export function settingsOf(params: Params, loaded: PlanModel | undefined): PlannerSettings {
  const own = params.config
  const named = () =>
    params.model === LOADED && loaded !== undefined ? loaded : publishedModel(params.model ?? DEFAULTS.model)
  return {
    model: own === undefined ? named() : modelOf(own),
    context: number(params.context, DEFAULTS.context, MAX_CONTEXT),
    batch: number(params.batch, DEFAULTS.batch, MAX_BATCH),
    cacheType: params.type ?? DEFAULTS.cacheType,
    weights: params.weights,
  }
}

function modelOf(config: string): PlanModel {
  let json: unknown
  try {
    json = JSON.parse(config)
  } catch {
    throw new Error('That is not JSON. Expected the text of a config.json, from { to }.')
  }
  return planModelFromJson(json)
}

function number(text: string | undefined, fallback: number, most: number): number {
  const value = Math.round(Number(text))
  return text !== undefined && value >= 1 ? Math.min(value, most) : fallback
}
