/** How families mark a gap in a text ("fill in the middle"): the texts around it come first, then the model writes what goes between. */

/** The marks as token ids. */
export interface InfillMarks {
  /** Before the text that precedes the gap. */
  readonly prefix: number
  /** Before the text that follows it. */
  readonly suffix: number
  /** Before the text in the gap; null: it follows at once. */
  readonly middle: number | null
  /** The text after the gap comes first. */
  readonly suffixFirst: boolean
  /** The text after the gap is encoded as the rest of another: without the space that a tokenizer puts before a text. */
  readonly suffixContinues: boolean
  /** Tokens that end the text in the gap, beside the model's own. */
  readonly ends: readonly number[]
}

interface Family {
  readonly marks: readonly [prefix: string, suffix: string, middle?: string]
  readonly suffixFirst?: boolean
  readonly suffixContinues?: boolean
  /** What a model may write after the gap: padding, the next file, the next repository. */
  readonly ends: readonly string[]
}

/** As the model cards and the checkpoints' own tokenizers have them. */
const FAMILIES: readonly Family[] = [
  // DeepSeek-Coder, DeepSeek-Coder-V2, DeepSeek-V3: "hole" stands where the gap is, and "end" asks for it.
  { marks: ['<｜fim▁begin｜>', '<｜fim▁hole｜>', '<｜fim▁end｜>'], ends: ['<｜end▁of▁sentence｜>', '<|EOT|>'] },
  // Qwen2.5-Coder, Qwen3-Coder, CodeGemma, Granite 4
  {
    marks: ['<|fim_prefix|>', '<|fim_suffix|>', '<|fim_middle|>'],
    ends: ['<|fim_pad|>', '<|repo_name|>', '<|file_sep|>', '<|file_separator|>', '<|endoftext|>', '<|im_end|>'],
  },
  // StarCoder, StarCoder2, Granite 3, SmolLM
  {
    marks: ['<fim_prefix>', '<fim_suffix>', '<fim_middle>'],
    ends: ['<fim_pad>', '<file_sep>', '<repo_name>', '<filename>', '<reponame>', '<|endoftext|>'],
  },
  // SantaCoder
  { marks: ['<fim-prefix>', '<fim-suffix>', '<fim-middle>'], ends: ['<fim-pad>', '<|endoftext|>'] },
  // Seed-Coder
  { marks: ['<[fim-prefix]>', '<[fim-suffix]>', '<[fim-middle]>'], suffixFirst: true, ends: [] },
  // GLM-4.5 and later
  { marks: ['<|code_prefix|>', '<|code_suffix|>', '<|code_middle|>'], ends: ['<|endoftext|>', '<|user|>'] },
  // CodeLlama
  { marks: ['▁<PRE>', '▁<SUF>', '▁<MID>'], suffixContinues: true, ends: ['▁<EOT>'] },
  // Codestral; mistral-common writes [SUFFIX]suffix[PREFIX]prefix, and no [MIDDLE]
  { marks: ['[PREFIX]', '[SUFFIX]'], suffixFirst: true, suffixContinues: true, ends: ['[MIDDLE]'] },
]

/** What a file says of the marks by role: pre, suf, mid, pad, rep and sep, as llama.cpp's keys call them. */
export type InfillRoles = ReadonlyMap<string, string | number>

/** The marks of a vocabulary, as its files name them, else as a family writes them; null: it has none. */
export function infillMarks(
  roles: InfillRoles,
  idOf: (token: string | number) => number | undefined,
): InfillMarks | null {
  const id = (token: string | number | undefined) => (token === undefined ? undefined : idOf(token))
  const known = FAMILIES.map(family => ({ ...family, ids: family.marks.map(id) }))
  const family = known.find(({ ids }) => ids.every(found => found !== undefined))
  const named = ['pre', 'suf', 'mid'].map(role => id(roles.get(role)))
  const isNamed = named.every(found => found !== undefined)
  const [prefix, suffix, middle = null] = isNamed ? named : (family?.ids ?? [])
  if (prefix === undefined || suffix === undefined) return null
  // The file may name the family's own marks: then their order is the family's.
  const sameFamily = family?.ids[0] === prefix ? family : null
  const after = [...['pad', 'rep', 'sep'].map(role => roles.get(role)), ...(sameFamily?.ends ?? [])].map(id)
  const ends = [...new Set([...after, prefix, suffix, middle])].filter(found => found !== undefined && found !== null)
  const { suffixFirst = false, suffixContinues = false } = sameFamily ?? {}
  return { prefix, suffix, middle, suffixFirst, suffixContinues, ends }
}
