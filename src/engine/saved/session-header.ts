/** What a session's file says of itself before its rows. Files come from anywhere: nothing here is believed unchecked. */
import { z } from 'zod'

export const SESSION_MAGIC = 'LKSESSN1'

const count = z.int().min(0)
/** What is shown to people: nothing in it may move a cursor. */
const label = z
  .string()
  .max(300)
  .regex(/^[^\p{Cc}\p{Zl}\p{Zp}\p{Cf}]*$/u)
const word = z.int().min(0).max(0xffff_ffff)

const schema = z.object({
  /** Of the machine that wrote it: ids and rows are as its memory has them. */
  endianness: z.enum(['LE', 'BE']),
  savedAt: z.iso.datetime(),
  model: label,
  /** `Identity`: whose rows they are. */
  identity: z.object({
    rules: label,
    config: label,
    tokenizer: label,
    weights: label,
    rows: label,
    layout: label,
    numerics: label,
  }),
  contextLength: z.int().min(1),
  rolling: z.object({ keep: count, count: z.int().min(1) }).nullable(),
  endsGenerated: z.boolean(),
  /** `DrawingState` of a text that may go on. */
  drawing: z
    .object({
      seed: z.int(),
      rng: z.tuple([word, word, word, word]).refine(words => words.some(w => w !== 0)),
      prompt: z.array(count),
      counts: z.array(z.tuple([count, z.int().min(1)])),
    })
    .nullable(),
  /** Ids that follow, of 4 bytes. */
  tokens: count,
  /** Rows: ids of 4 bytes, then ways of one byte follow. */
  rows: count,
  /** Bytes of each block by group, null where a window had passed; they follow in this order. */
  blocks: z.array(z.array(count.nullable())),
  /** What the user had kept with it: any JSON. */
  notes: z.unknown(),
})

export type SessionHeader = z.infer<typeof schema>

/** Throws an Error that says which field is wrong. */
export function parseSessionHeader(header: unknown): SessionHeader {
  const { success, data, error } = schema.safeParse(header)
  if (success) return data
  const [issue] = error.issues
  throw new Error(`its header is wrong at ${JSON.stringify(issue?.path.join('.') ?? '')}: ${issue?.message}`)
}

/** Bytes of all that follows the header. */
export function bodyBytes({ tokens, rows, blocks }: SessionHeader): number {
  return 4 * tokens + 5 * rows + blocks.flat().reduce<number>((n, bytes) => n + (bytes ?? 0), 0)
}
