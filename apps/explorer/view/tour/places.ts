/** The texts of the tour, and what of them is looked at. */
import { BUNDLED_NAME, shownIn } from '../presets.ts'

export const FLAG = 'The American flag is red white and'
export const UMBRELLA = 'She hit the man with the umbrella'
export const RIVER = 'He sat on the river bank.'
export const SAVINGS = 'He put money in the savings bank.'

/** Of `FLAG`: the token “red”. */
export const A_TOKEN = 9
const [colours, umbrella] = [FLAG, UMBRELLA].map(text => shownIn(text, BUNDLED_NAME)!)
/** Of `FLAG`: “and” in a head that looks for the colours. */
export const LOOK = colours!.at
/** Of these, “white”. */
export const MET = { ...LOOK, key: colours!.key }
/** Of `UMBRELLA`: a head, and the token that looks. */
export const ONE_READING = umbrella!.at
export const RANK = 6

/** A text that is written on. */
export const TALE = 'Once upon a time there was a king who had a daughter.'
export const STEPS_WRITTEN = 40

/** The articles' example of a cache: 32 layers, 32 heads of 128, 8,192 tokens. */
export const PLAIN = {
  context: 8192,
  config: {
    model_type: 'llama',
    num_hidden_layers: 32,
    hidden_size: 4096,
    num_attention_heads: 32,
    vocab_size: 32_000,
    intermediate_size: 11_008,
  },
}
/** And their example of a model with latents. */
export const LARGE = { model: 'DeepSeek-R1', context: 100_000 }

/** As parameters of an address. */
export function asParams(values: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [
      name,
      typeof value === 'object' ? JSON.stringify(value) : String(value),
    ]),
  )
}
