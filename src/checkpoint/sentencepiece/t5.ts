/** T5's tokenizer where there is no tokenizer.json: the unigrams of `spiece.model`, whose places are the ids, then the tokens that stand for gaps. */
import { CheckpointError } from '../../errors.ts'
import type { JsonObject } from '../json-file.ts'
import type { CheckpointFiles } from '../source/checkpoint-files.ts'
import { PIECE } from './model-file.ts'
import { endedBy, readUnigrams, spacesOf } from './unigrams.ts'

const SPIECE = 'spiece.model'
export const T5_FILES = [SPIECE]
const GAPS = 100
const MAX_GAPS = 10_000
/** Families with a file of this name that are no T5. */
const OWN_CLASS = /^M?T5Tokenizer(Fast)?$/

/** As a tokenizer.json; undefined: the file is not there, or belongs to another kind of tokenizer. Throws CheckpointError or UnsupportedModelError. */
export async function t5Tokenizer(files: CheckpointFiles, config: JsonObject = {}): Promise<JsonObject | undefined> {
  const { tokenizer_class: named = 'T5Tokenizer' } = config
  if (!files.names.has(SPIECE) || typeof named !== 'string' || !OWN_CLASS.test(named)) return undefined
  const model = await readUnigrams(files, SPIECE)
  // Pieces of mT5 have them.
  const { extra_ids: gaps = model.pieces.some(({ text }) => text === gapOf(0)) ? 0 : GAPS } = config
  if (!Number.isInteger(gaps) || (gaps as number) < 0 || (gaps as number) > MAX_GAPS) {
    throw new CheckpointError(
      `${files.name}/tokenizer_config.json: extra_ids is ${JSON.stringify(gaps)}; expected a whole number up to ${MAX_GAPS}`,
    )
  }
  const texts = [
    ...model.pieces.map(({ text }) => text),
    ...Array.from({ length: gaps as number }, (_, i) => gapOf((gaps as number) - 1 - i)),
  ]
  const ids = new Map(texts.map((text, id) => [text, id]))
  const idOf = (key: string, usual: string) => {
    const token = typeof config[key] === 'string' ? (config[key] as string) : usual
    const id = ids.get(token)
    if (id !== undefined) return { token, id }
    throw new CheckpointError(`${files.name}/${SPIECE} has no ${token}; expected the ${key} of T5`)
  }
  const end = idOf('eos_token', '</s>')
  const isControl = (id: number) => [PIECE.unknown, PIECE.control].includes(model.pieces[id]?.type as 2 | 3)
  return {
    added_tokens: texts.flatMap((content, id) =>
      isControl(id) || /^<extra_id_\d+>$/.test(content) ? [{ id, content, special: true, normalized: false }] : [],
    ),
    ...spacesOf(model),
    model: {
      type: 'Unigram',
      unk_id: idOf('unk_token', '<unk>').id,
      vocab: texts.map((text, id) => [text, model.pieces[id]?.score ?? 0]),
      byte_fallback: false,
    },
    post_processor: endedBy(end.token, end.id),
  }
}

/** Of the n-th gap; the last ones have the lowest ids. */
function gapOf(n: number): string {
  return `<extra_id_${n}>`
}
