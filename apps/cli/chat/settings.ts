import { InvalidArgumentError } from 'commander'
import type { PromptOptions, SamplingDefaults } from '../../../src/index.ts'
import { randomSeed } from '../answer.ts'
import { SETTINGS, type Setting, settingParser } from '../options/sampling.ts'

/** Under the names of the flags. */
export const SETTING_NAMES: readonly string[] = SETTINGS.map(kebab)

/** Tokens of an answer where the user says nothing. */
export interface Guard {
  readonly maxTokens: number
  /** A model should have ended before, so that it is worth a word. */
  readonly told: boolean
}

/** How answers are chosen; changed by /temperature 0.5 and the like. */
export class Settings {
  #options: PromptOptions
  readonly #model: SamplingDefaults
  readonly #guard: Guard

  constructor(options: PromptOptions, model: SamplingDefaults, guard: Guard) {
    this.#options = options
    this.#model = model
    this.#guard = guard
  }

  /** What ends an answer that does not end by itself: what the user chose, or a guard, told or a matter of course. */
  get bound(): 'chosen' | 'guard' {
    return this.#options.maxTokens !== undefined || !this.#guard.told ? 'chosen' : 'guard'
  }

  /** For the next answer; a seed of its own unless one was set. `attempt` varies a set seed for another try. */
  next(attempt = 0): PromptOptions & { readonly seed: number } {
    const { seed } = this.#options
    const varied = seed === undefined ? randomSeed() : seed + attempt
    const { maxTokens } = this.#guard
    return { maxTokens, ...this.#options, seed: Number.isSafeInteger(varied) ? varied : (seed as number) - attempt }
  }

  /** `name` is one of SETTING_NAMES; `default` and `random` forget the value. Throws a sentence. */
  set(name: string, text: string): void {
    const key = keyOf(name)
    const { [key]: _, ...others } = this.#options
    if (text === 'default' || text === 'random') this.#options = others
    else this.#options = { ...others, [key]: parse(key, name, text) }
  }

  /** As it stands: `temperature 0.7`. */
  show(name: string): string {
    const key = keyOf(name)
    const value = this.#options[key]
    return `${name} ${value ?? this.#unset(key)}`
  }

  /** What counts where nothing was set. */
  #unset(key: Setting): string {
    if (key === 'seed') return 'random'
    if (key === 'maxTokens') return String(this.#guard.maxTokens)
    if (key === 'presencePenalty' || key === 'frequencyPenalty') return '0'
    // Ours count together: one that is set takes the place of all.
    const ours = this.#model.by === 'latentkit' && key in NOTHING
    if (ours && Object.keys(NOTHING).some(name => this.#options[name as Setting] !== undefined)) {
      return String(NOTHING[key as keyof typeof NOTHING])
    }
    return `${this.#model[key]}${this.#model.by === 'model' ? " (the model's)" : ''}`
  }
}

/** Settings of drawing that do nothing. */
const NOTHING = { temperature: 1, topP: 1, topK: 0, minP: 0 } as const

function parse(key: Setting, name: string, text: string): number {
  try {
    return settingParser(key)(text)
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error
    throw new InvalidArgumentError(`/${name} is ${JSON.stringify(text)}. ${error.message}`)
  }
}

function keyOf(name: string): Setting {
  return name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase()) as Setting
}

function kebab(name: string): string {
  return name.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)
}
