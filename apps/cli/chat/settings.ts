import { InvalidArgumentError } from 'commander'
import type { PromptOptions } from '../../../src/index.ts'
import { randomSeed } from '../answer.ts'
import { SETTINGS, type Setting, settingParser } from '../options/sampling.ts'

/** Under the names of the flags. */
export const SETTING_NAMES: readonly string[] = SETTINGS.map(kebab)

/** How answers are chosen; changed by /temperature 0.5 and the like. */
export class Settings {
  #options: PromptOptions

  constructor(options: PromptOptions) {
    this.#options = options
  }

  /** For the next answer; a seed of its own unless one was set. `attempt` varies a set seed for another try. */
  next(attempt = 0): PromptOptions & { readonly seed: number } {
    const { seed } = this.#options
    const varied = seed === undefined ? randomSeed() : seed + attempt
    return { ...this.#options, seed: Number.isSafeInteger(varied) ? varied : (seed as number) - attempt }
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
    const value = this.#options[keyOf(name)]
    return `${name} ${value ?? (name === 'seed' ? 'random' : 'as the model says')}`
  }
}

function parse(key: Setting, name: string, text: string): number {
  try {
    return settingParser(key)(text)
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error
    throw new InvalidArgumentError(`${name} is ${JSON.stringify(text)}. ${error.message}`)
  }
}

function keyOf(name: string): Setting {
  return name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase()) as Setting
}

function kebab(name: string): string {
  return name.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)
}
