import { InvalidArgumentError } from 'commander'
import type { JsonSchema, PromptOptions, SamplingDefaults } from '../../../src/index.ts'
import { randomSeed } from '../answer.ts'
import { SETTINGS, type Setting, settingParser } from '../options/sampling.ts'

/** Names as in flags. */
export const SETTING_NAMES: readonly string[] = SETTINGS.map(kebab)

/** The default limit of an answer's length. */
export interface Guard {
  readonly maxTokens: number
  /** Report when it is reached: the model should have ended its answer before. */
  readonly announced: boolean
}

/** The sampling settings of a chat; commands such as /temperature 0.5 change them. */
export class Settings {
  #options: PromptOptions
  /** Of the schema that was set in the chat. */
  #schemaFile = ''
  readonly #model: SamplingDefaults
  readonly #guard: Guard

  constructor(options: PromptOptions, model: SamplingDefaults, guard: Guard) {
    this.#options = options
    this.#model = model
    this.#guard = guard
  }

  /** The kind of limit that ends a long answer: `chosen` by the user (or expected), or an announced `guard`. */
  get bound(): 'chosen' | 'guard' {
    return this.#options.maxTokens !== undefined || !this.#guard.announced ? 'chosen' : 'guard'
  }

  /** Options for the next answer, with a new seed unless one was set. `attempt` varies a set seed for another try. */
  next(attempt = 0): PromptOptions & { readonly seed: number } {
    const { seed } = this.#options
    const varied = seed === undefined ? randomSeed() : seed + attempt
    const { maxTokens } = this.#guard
    return { maxTokens, ...this.#options, seed: Number.isSafeInteger(varied) ? varied : (seed as number) - attempt }
  }

  /** What answers are held to, as a sentence; null: nothing. */
  get form(): string | null {
    const name = FORMS.find(one => this.#options[one] !== undefined)
    if (name === undefined) return null
    return name === 'schema' && this.#schemaFile !== ''
      ? `the schema in ${this.#schemaFile}`
      : `what ${flagOf(name)} says`
  }

  /** Holds the next answers to the schema, and to nothing else; null: to nothing. */
  holdTo(schema: JsonSchema | null, file = ''): void {
    const others = Object.entries(this.#options).filter(([name]) => !FORMS.some(form => form === name))
    this.#options = { ...Object.fromEntries(others), ...(schema !== null && { schema }) }
    this.#schemaFile = file
  }

  /** `name`: one of SETTING_NAMES; the texts `default` and `random` reset it. Throws an error with a sentence. */
  set(name: string, text: string): void {
    const key = keyOf(name)
    const { [key]: _, ...others } = this.#options
    if (text === 'default' || text === 'random') this.#options = others
    else this.#options = { ...others, [key]: parse(key, name, text) }
  }

  /** The current value: `temperature 0.7`. */
  show(name: string): string {
    const key = keyOf(name)
    const value = this.#options[key]
    return `${name} ${value ?? this.#unset(key)}`
  }

  /** The value in use if nothing was set. */
  #unset(key: Setting): string {
    if (key === 'seed') return 'random'
    if (key === 'maxTokens') return String(this.#guard.maxTokens)
    if (key === 'presencePenalty' || key === 'frequencyPenalty') return '0'
    // latentkit's defaults belong together: setting one of them replaces all.
    const ours = this.#model.by === 'latentkit' && key in NOTHING
    if (ours && Object.keys(NOTHING).some(name => this.#options[name as Setting] !== undefined)) {
      return String(NOTHING[key as keyof typeof NOTHING])
    }
    return `${this.#model[key]}${this.#model.by === 'model' ? " (the model's)" : ''}`
  }
}

const FORMS = ['schema', 'json', 'regex', 'choices', 'grammar'] as const

const flagOf = (form: (typeof FORMS)[number]): string =>
  (({ json: '--json-output', choices: '--choice' }) as Readonly<Record<string, string>>)[form] ?? `--${form}`

/** Neutral sampling settings. */
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
