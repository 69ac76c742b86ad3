/** Fields that ask for what this server does not do: an answer without it would be one to another question. */
import { invalid } from '../failure.ts'

interface Field {
  /** Whether the value asks for anything. */
  readonly asks: (value: unknown, body: Body) => boolean
  readonly what: string
}
type Body = Readonly<Record<string, unknown>>

const isFilled = (value: unknown) => Array.isArray(value) && value.length > 0
const isTrue = (value: unknown) => value === true
const isGiven = (value: unknown) => value !== null && value !== undefined && value !== false

const FIELDS: Readonly<Record<string, Field>> = {
  functions: { asks: isFilled, what: 'is the form before tools; expected tools: [{type: "function", function}]' },
  modalities: {
    asks: value => Array.isArray(value) && value.some(one => one !== 'text'),
    what: 'asks for more than text; this server writes text only',
  },
  audio: { asks: isGiven, what: 'asks for sound; this server writes text only' },
  web_search_options: { asks: isGiven, what: 'asks for a search; this server reaches no other' },
  prompt_logprobs: {
    asks: isGiven,
    what: 'asks for chances of the tokens of the prompt; only those of the answer are known here',
  },
  n_cmpl: {
    asks: value => typeof value === 'number' && value > 1,
    what: 'asks for several answers; expected n, which /v1/chat/completions and /v1/completions have',
  },
  best_of: {
    asks: (value, { n }) => typeof value === 'number' && value > (typeof n === 'number' ? n : 1),
    what: 'is more than n; expected as many as n, or none',
  },
  allowed_token_ids: {
    asks: isFilled,
    what: 'leaves some tokens only; expected logit_bias, or a form such as guided_choice',
  },
  // SGLang's names.
  stop_regex: {
    asks: value => isFilled(value) || (typeof value === 'string' && value !== ''),
    what: 'ends a text at an expression; expected stop with texts',
  },
  no_stop_trim: { asks: isTrue, what: 'is true; a text ends before what stops it here' },
  include_stop_str_in_output: { asks: isTrue, what: 'is true; a text ends before what stops it here' },
  use_beam_search: { asks: isTrue, what: 'is true; this server draws, and has no beams' },
  truncate_prompt_tokens: {
    asks: value => typeof value === 'number',
    what: 'cuts the prompt; this server cuts none: send what it is to read',
  },
  chat_template: {
    asks: value => typeof value === 'string' && value !== '',
    what: "is a template of your own; the model's is used here: send its text to /v1/completions",
  },
  lora: { asks: isFilled, what: 'chooses adapters; start the server with --lora' },
  // Whoever has no grammar sends it, too.
  grammar_lazy: {
    asks: (value, { grammar }) => value === true && typeof grammar === 'string' && grammar !== '',
    what: 'is true: the grammar would begin in the middle of the answer; expected one that holds from its beginning, or tools',
  },
  post_sampling_probs: {
    asks: (value, { n_probs: probs }) => value === true && typeof probs === 'number' && probs > 0,
    what: "is true; chances are the model's own here, before what the options do",
  },
  _debug_render_only: {
    asks: isTrue,
    what: 'is true; expected /apply-template, which shows the text of a conversation',
  },
  documents: { asks: isFilled, what: 'are texts beside the conversation; expected them in messages' },
  prompt_embeds: { asks: isGiven, what: 'are vectors in place of a prompt; this server reads text and token ids' },
  image_data: { asks: isFilled, what: 'has pictures; this server reads text only' },
  echo: {
    asks: (value, { logprobs }) => value === true && typeof logprobs === 'number',
    what: 'beside logprobs asks for chances of the tokens of the prompt; only those of the answer are known here',
  },
}

/** Where an API has one answer. Throws Failure. */
export function refuseSeveral({ n }: Body): void {
  if (typeof n !== 'number' || n <= 1) return
  throw invalid(`n is ${n}, and an answer of this API is one; expected 1, or another request for each`, 'n')
}

/** Throws Failure naming the first of them. */
export function refuseFields(body: Body): void {
  for (const [name, { asks, what }] of Object.entries(FIELDS)) {
    if (asks(body[name], body)) throw invalid(`${name} ${what}`, name, 'unsupported_parameter')
  }
}
