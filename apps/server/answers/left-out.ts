/** Fields that are left out, and named in a header: the answer is to the same question, but others would have written or shown it otherwise. */
type Body = Readonly<Record<string, unknown>>
type Asks = (value: unknown, body: Body) => boolean

const isFilled: Asks = value => Array.isArray(value) && value.length > 0
const isTrue: Asks = value => value === true
const isGiven: Asks = value => value !== null && value !== undefined
const isPositive: Asks = value => typeof value === 'number' && value > 0

/** By their paths. */
const FIELDS: Readonly<Record<string, Asks>> = {
  // OpenAI's.
  verbosity: isGiven,
  'text.verbosity': isGiven,
  context_management: isGiven,
  // Anthropic's.
  container: isGiven,
  'output_config.task_budget': isGiven,
  'thinking.display': value => value === 'omitted',
  // vLLM's and SGLang's.
  echo: (value, body) => value === true && Object.hasOwn(body, 'messages'),
  include_reasoning: value => value === false,
  separate_reasoning: value => value === false,
  'stream_options.continuous_usage_stats': isTrue,
  return_token_ids: isTrue,
  return_hidden_states: isTrue,
  // llama.cpp's.
  samplers: value => isFilled(value, {}) || (typeof value === 'string' && value !== ''),
  t_max_predict_ms: isPositive,
  n_indent: isPositive,
  return_tokens: isTrue,
  response_fields: isFilled,
}

/** The paths of those that ask for something. */
export function leftOut(body: Body): readonly string[] {
  return Object.entries(FIELDS).flatMap(([path, asks]) => (asks(at(body, path), body) ? [path] : []))
}

function at(body: Body, path: string): unknown {
  return path.split('.').reduce<unknown>((value, name) => (value as Body | null | undefined)?.[name], body)
}
