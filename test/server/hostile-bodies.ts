/** Bodies that no client should send: made of an endpoint's schema, then damaged. The same numbers give the same bodies. */
import type { Rng } from '../support/rng.ts'
import { MODEL, WEATHER } from './support.ts'

export interface Schema {
  readonly type?: string | readonly string[]
  readonly anyOf?: readonly Schema[]
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly items?: Schema
}

type Json = Record<string, unknown>

/** Raw JSON that `JSON.stringify` cannot write stands in the value as one of these texts. */
const RAW: Readonly<Record<string, string>> = {
  '@huge@': '1e999',
  '@long@': `1${'0'.repeat(400)}`,
  '@lists@': '['.repeat(20_000) + ']'.repeat(20_000),
  '@objects@': `${'{"properties":'.repeat(5000)}{}${'}'.repeat(5000)}`,
  '@prototype@': '{"__proto__": {"polluted": true}, "constructor": {"prototype": null}}',
}

const TEXTS = [
  '',
  ' ',
  'x',
  '\u0000',
  '\ud800',
  '‮مرحبا',
  '👩‍👩‍👧',
  '%s%n',
  '../../etc/passwd',
  'true',
  '{{ x }}',
  '{% if %}',
  '(',
  '[a-',
  'start: ',
  '1e5',
  '-1',
]
const NUMBERS = [0, -0, 1, -1, 0.5, 2, 127, 1e9, -1e9, 2 ** 31, 2 ** 32, 2 ** 53, 1e300, -1e300, 5e-324]
const KEYS = [
  'filter',
  'then',
  'toString',
  'length',
  'map',
  'constructor',
  'type',
  'text',
  'id',
  'name',
  '$ref',
  'anyOf',
  'a',
]

/** What a schema leaves open, but endpoints look into. */
const LIKELY: Readonly<Record<string, readonly unknown[]>> = {
  model: [MODEL, MODEL, MODEL, MODEL, null, 'nothing', ''],
  role: ['user', 'user', 'assistant', 'system', 'developer', 'tool', 'function', 'nobody'],
  type: [
    'text',
    'text',
    'function',
    'message',
    'tool_use',
    'tool_result',
    'thinking',
    'image',
    'input_text',
    'json_schema',
    'json_object',
    'function_call',
    'function_call_output',
    'reasoning',
    'enabled',
    'auto',
    'any',
    'tool',
    'none',
    'item_reference',
  ],
  tool_choice: [
    'auto',
    'none',
    'required',
    'any',
    { type: 'function', function: { name: 'weather' } },
    { type: 'tool', name: 'weather' },
  ],
  tools: [
    [WEATHER],
    [{ ...WEATHER.function, type: 'function' }],
    [{ name: 'weather', input_schema: WEATHER.function.parameters }],
  ],
  format: ['json', WEATHER.function.parameters, { type: 'json_schema', schema: WEATHER.function.parameters }],
  schema: [
    WEATHER.function.parameters,
    { type: 'object', properties: { a: { $ref: '#/$defs/no' } } },
    { pattern: '(' },
    true,
    false,
  ],
}

/** Without one of them there is nothing to do, whatever the schema requires. */
const ASKED = ['prompt', 'input', 'messages']

/** Names of options that bodies may have beside those of the schema. */
const OPTIONS = [
  'temperature',
  'top_p',
  'top_k',
  'min_p',
  'typical_p',
  'top_n_sigma',
  'repeat_penalty',
  'presence_penalty',
  'frequency_penalty',
  'xtc_probability',
  'dynatemp_range',
  'dry_multiplier',
  'dry_sequence_breakers',
  'mirostat',
  'mirostat_tau',
  'logit_bias',
  'seed',
  'min_tokens',
  'stop',
  'bad_words',
  'ignore_eos',
  'reasoning_budget',
  'priority',
  'speculation',
  'cache_prompt',
  'guided_regex',
  'guided_choice',
  'guided_grammar',
  'guided_json',
  'json_schema',
  'grammar',
  'structured_outputs',
  'response_format',
  'keep_alive',
  'options',
  'system',
  'template',
  'think',
  'raw',
  'context',
  'images',
  'metadata',
  'user',
  'previous_response_id',
  'include',
  'truncation',
  'store',
]

export function hostileBody(rng: Rng, schema: Schema): string {
  // Half of them are nearly right: a body that is refused at once reaches little.
  const wild = rng.below(2) === 0
  const body = fill(schema, rng, wild)
  if (isObject(body)) {
    for (let i = rng.below(wild ? 4 : 2); i > 0; i--) body[of(rng, OPTIONS)] = anything(rng, 2)
    for (let i = rng.below(wild ? 3 : 2); i > 0; i--) damage(body, rng)
    // Else nearly all the time goes into answers.
    Object.assign(body, { max_tokens: 2, max_completion_tokens: 2, max_output_tokens: 2, n_predict: 2 })
    if (body.options === undefined) body.options = { num_predict: 2 }
    else if (isObject(body.options)) body.options.num_predict = 2
    if (typeof body.n === 'number' && body.n > 2) body.n = 2
  }
  const text = (JSON.stringify(rng.below(40) === 0 ? anything(rng, 3) : body) ?? '').replace(
    /"(@\w+@)"/g,
    (_, raw: string) => RAW[raw] ?? raw,
  )
  switch (wild ? rng.below(15) : 3) {
    case 0:
      return text.slice(0, rng.below(text.length))
    case 1:
      return text.replace(/[:,]/, of(rng, ['', '::', ',,', '\u0000', 'NaN,']))
    case 2:
      return `${of(rng, ['\ufeff', ' ', '{', '\ud800'])}${text}${of(rng, ['', '}', '\u0000'])}`
    default:
      return text
  }
}

/** Mostly what the schema allows. */
function fill(schema: Schema, rng: Rng, wild: boolean, name = ''): unknown {
  const likely = LIKELY[name]
  if (likely && (!wild || rng.below(4) > 0)) return structuredClone(of(rng, likely))
  if (schema.anyOf) return fill(of(rng, schema.anyOf), rng, wild, name)
  if (schema.enum) return of(rng, schema.enum)
  if (schema.const !== undefined) return schema.const
  const type = typeof schema.type === 'string' ? schema.type : schema.type && of(rng, schema.type)
  switch (type) {
    case 'string':
      return !wild || rng.below(2) === 0 ? 'Once upon a time' : of(rng, TEXTS)
    case 'integer':
      return wild && rng.below(4) === 0 ? of(rng, NUMBERS) : rng.below(4)
    case 'number':
      return of(rng, NUMBERS)
    case 'boolean':
      return rng.below(2) === 0
    case 'null':
      return null
    case 'array':
      return Array.from({ length: 1 + rng.below(3) }, () => fill(schema.items ?? {}, rng, wild))
    case 'object': {
      const made: Json = {}
      for (const [key, part] of Object.entries(schema.properties ?? {})) {
        if (schema.required?.includes(key) || ASKED.includes(key) || rng.below(3) === 0)
          made[key] = fill(part, rng, wild, key)
      }
      for (const key of ['text', 'function', 'content', 'name', 'input', 'call_id']) {
        if (wild && rng.below(6) === 0) made[key] ??= anything(rng, 2)
      }
      if (!wild && 'type' in made) Object.assign(made, { type: 'text', text: 'Once' })
      if (!wild && 'role' in made) {
        Object.assign(made, { role: of(rng, ['user', 'assistant']) })
      }
      return made
    }
    default:
      return anything(rng, 2)
  }
}

function anything(rng: Rng, depth: number): unknown {
  switch (rng.below(depth > 0 ? 9 : 6)) {
    case 0:
      return of(rng, TEXTS)
    case 1:
    case 2:
      return of(rng, NUMBERS)
    case 3:
      return of(rng, [true, false, null])
    case 4:
      return of(rng, Object.keys(RAW))
    case 5:
      return of(rng, TEXTS).repeat(1 + rng.below(2000))
    case 6:
      return Array.from({ length: rng.below(4) }, () => anything(rng, depth - 1))
    default:
      return Object.fromEntries(Array.from({ length: rng.below(4) }, () => [of(rng, KEYS), anything(rng, depth - 1)]))
  }
}

/** Somewhere within, one value becomes another, or is gone. */
function damage(within: Json | unknown[], rng: Rng): void {
  const keys = Object.keys(within)
  if (keys.length === 0) return
  const key = of(rng, keys)
  const value = (within as Json)[key]
  if (rng.below(3) > 0 && (isObject(value) || Array.isArray(value))) damage(value, rng)
  else if (rng.below(6) === 0) delete (within as Json)[key]
  else (within as Json)[key] = anything(rng, 3)
}

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)

function of<T>(rng: Rng, items: readonly T[]): T {
  return items[rng.below(items.length)] as T
}
