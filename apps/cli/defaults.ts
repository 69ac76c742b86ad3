/**
 * Defaults of flags from a file: `LATENTKIT_CONFIG`, else `latentkit/config.json` in the settings folder. Per command, and
 * under "*" for all commands that have the flag. Flags and environment variables take precedence.
 */
import { existsSync } from 'node:fs'
import type { Command, Option } from 'commander'
import { nearest, printable } from '../../src/for-apps.ts'
import { configFile, isSet } from './environment.ts'
import { UsageError } from './exit.ts'
import { readTextFile } from './text-input.ts'

type Values = Readonly<Record<string, unknown>>

const ALL = '*'

/** Applies the file's defaults to a command. Throws UsageError naming the file and the key. */
export async function applyDefaults(command: Command, commands: readonly string[], env = process.env): Promise<void> {
  const { path, named } = configFile(env)
  // The default file is optional.
  if (!named && !existsSync(path)) return
  const file = await readDefaults(path)
  for (const name of Object.keys(file)) {
    if (name !== ALL && !commands.includes(name)) throw unknown(path, name, 'command', [...commands, ALL])
  }
  for (const [key, value] of Object.entries(section(path, file, ALL))) {
    const option = optionNamed(command, key)
    if (option) set(command, option, value, `${path}: "${ALL}.${key}"`, env)
  }
  applyFlags(command, section(path, file, command.name()), { path, prefix: `${command.name()}.`, env })
}

/**
 * Applies a file of one command's flags: an object of them, or one that has it under the command's name. `models` stands for the
 * arguments. Throws UsageError naming the file and the key.
 */
export async function applyFile(command: Command, path: string, env = process.env): Promise<void> {
  const file = await readDefaults(path)
  const isNested = Object.hasOwn(file, command.name())
  const { models, ...flags } = isNested ? section(path, file, command.name()) : file
  if (models !== undefined) {
    const isList = Array.isArray(models) && models.every(model => typeof model === 'string' && model !== '')
    if (!isList) throw new UsageError(`${path}: "models" is ${shown(models)}; expected a list of models`)
    command.setOptionValueWithSource('models', models, 'default')
  }
  applyFlags(command, flags, { path, prefix: isNested ? `${command.name()}.` : '', env })
}

interface Place {
  readonly path: string
  readonly prefix: string
  readonly env: NodeJS.ProcessEnv
}

function applyFlags(command: Command, values: Values, { path, prefix, env }: Place): void {
  const known = command.options.filter(o => !o.hidden).map(o => o.attributeName())
  for (const [key, value] of Object.entries(values)) {
    const option = optionNamed(command, key)
    if (!option) throw unknown(path, `${prefix}${key}`, 'flag', known)
    set(command, option, value, `${path}: "${prefix}${key}"`, env)
  }
}

async function readDefaults(path: string): Promise<Values> {
  const text = new TextDecoder().decode(await readTextFile(path))
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (error) {
    throw new UsageError(`${path} is not JSON: ${printable((error as Error).message)}`)
  }
  if (isObject(json)) return json
  throw new UsageError(`${path} holds no JSON object; expected one such as {"chat": {"temperature": 0.6}}`)
}

function section(path: string, file: Values, name: string): Values {
  const values = Object.hasOwn(file, name) ? file[name] : {}
  if (isObject(values)) return values
  throw new UsageError(`${path}: "${name}" is ${shown(values)}; expected an object of flags, such as {"threads": 2}`)
}

/** `max-tokens` and `maxTokens` are the same flag. */
function optionNamed(command: Command, key: string): Option | undefined {
  const name = key.replace(/^--/, '').replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())
  return command.options.find(o => o.attributeName() === name)
}

function set(command: Command, option: Option, value: unknown, where: string, env: NodeJS.ProcessEnv): void {
  const attribute = option.attributeName()
  const variable = `LATENTKIT_${attribute.replace(/[A-Z]/g, letter => `_${letter}`).toUpperCase()}`
  if (isSet(variable, env)) return
  command.setOptionValueWithSource(attribute, parsed(option, value, where), 'default')
}

function parsed(option: Option, value: unknown, where: string): unknown {
  if (option.isBoolean() || option.negate) {
    if (typeof value === 'boolean') return value
    throw new UsageError(`${where} is ${shown(value)}; expected true or false`)
  }
  const several = Array.isArray(value) ? value : [value]
  let result: unknown
  for (const one of several) {
    if (typeof one !== 'string' && typeof one !== 'number') {
      throw new UsageError(`${where} is ${shown(one)}; expected a text or a number, as the flag takes it`)
    }
    try {
      result = option.parseArg ? option.parseArg(String(one), result) : String(one)
    } catch (error) {
      if (!(error instanceof Error)) throw error
      throw new UsageError(`${where} is ${shown(one)}. ${error.message}`)
    }
  }
  return result
}

function unknown(path: string, met: string, what: string, names: readonly string[]): UsageError {
  const last = met.slice(met.lastIndexOf('.') + 1)
  const near = nearest(last, names)
  const hint = near === undefined ? `there are ${names.join(', ')}` : `did you mean ${near}?`
  return new UsageError(`${path}: "${printable(met)}" is no ${what}; ${hint}`)
}

function isObject(value: unknown): value is Values {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function shown(value: unknown): string {
  return printable(JSON.stringify(value)?.slice(0, 60) ?? String(value))
}
