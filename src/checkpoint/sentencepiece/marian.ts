/**
 * Marian's tokenizer, which has no tokenizer.json: texts are cut by the unigrams of `source.spm`, whose pieces have the ids of `vocab.json`; ids
 * of the answer are read by the same vocabulary.
 */
import { CheckpointError, UnsupportedModelError } from '../../errors.ts'
import { type JsonObject, readJson } from '../json-file.ts'
import { quote } from '../quote.ts'
import type { CheckpointFiles } from '../source/checkpoint-files.ts'
import { PIECE, type SentencePieceModel } from './model-file.ts'
import { endedBy, readUnigrams, spacesOf } from './unigrams.ts'

const SOURCE = 'source.spm'
const VOCABULARY = 'vocab.json'
/** What the tokenizer is made of. */
export const MARIAN_FILES = [SOURCE, VOCABULARY]
/** Bytes. Real ones: below 2 MB. */
const MOST = 64 << 20

/** As a tokenizer.json; undefined: the files are not there. Throws CheckpointError or UnsupportedModelError. */
export async function marianTokenizer(
  files: CheckpointFiles,
  config: JsonObject = {},
): Promise<JsonObject | undefined> {
  if (!files.names.has(SOURCE) || !files.names.has(VOCABULARY)) return undefined
  if (files.names.has('target_vocab.json') || config.separate_vocabs === true) {
    throw new UnsupportedModelError(
      `${files.name} has a vocabulary for the source and another for its translations (separate_vocabs), which is not supported: give the ` +
        'source as token ids, and a tokenizer.json of the translations',
    )
  }
  const model = await readUnigrams(files, SOURCE)
  if (model.pieces.some(({ type }) => type === PIECE.byte)) {
    throw new UnsupportedModelError(`${files.name}/${SOURCE} has pieces for bytes, which no model of Marian has`)
  }
  const vocabulary = await files.open(VOCABULARY)
  const ids = idsOf(await readJson(vocabulary, MOST), vocabulary.path ?? vocabulary.name)
  const named = (key: string, usual: string) => (typeof config[key] === 'string' ? (config[key] as string) : usual)
  const [unknown, end, pad] = [named('unk_token', '<unk>'), named('eos_token', '</s>'), named('pad_token', '<pad>')]
  const idOf = (token: string) => ids.get(token) ?? missing(token, vocabulary.path ?? vocabulary.name)
  const special = [end, unknown, ...(ids.has(pad) ? [pad] : [])]
  // Languages of the translation, at the beginning of a text.
  const languages = [...ids.keys()].filter(token => /^>>.+<<$/s.test(token))
  return {
    added_tokens: [
      ...special.map(content => ({ id: idOf(content), content, special: true, normalized: false })),
      ...languages.map(content => ({
        id: idOf(content),
        content,
        special: false,
        normalized: false,
        only_first: true,
      })),
    ],
    ...spacesOf(model),
    model: {
      type: 'Unigram',
      unk_id: idOf(unknown),
      vocab: tokensOf(ids),
      pieces: piecesOf(model, ids, idOf(unknown)),
      byte_fallback: false,
    },
    post_processor: endedBy(end, idOf(end)),
  }
}

function idsOf(json: JsonObject, file: string): Map<string, number> {
  const wrong = Object.entries(json).find(
    ([, id]) => !Number.isSafeInteger(id) || (id as number) < 0 || (id as number) >= 1 << 24,
  )
  if (wrong)
    throw new CheckpointError(
      `${file}: the id of ${quote(wrong[0])} is ${JSON.stringify(wrong[1])}; expected a whole number`,
    )
  return new Map(Object.entries(json) as [string, number][])
}

function missing(token: string, file: string): never {
  throw new CheckpointError(`${file} has no ${quote(token)}; expected the ids of all tokens`)
}

/** By id; ids of no token are tokens of no text. */
function tokensOf(ids: ReadonlyMap<string, number>): [string, number][] {
  const count = 1 + [...ids.values()].reduce((a, b) => Math.max(a, b), 0)
  const tokens = Array.from({ length: count }, (): [string, number] => ['', 0])
  for (const [token, id] of ids) tokens[id] = [token, 0]
  return tokens
}

/** [text, score, id] of what texts are cut into; pieces without an id are unknown. */
function piecesOf({ pieces }: SentencePieceModel, ids: ReadonlyMap<string, number>, unknown: number) {
  const normal = pieces.filter(({ type }) => type === PIECE.normal)
  const best = normal.reduce((most, { score }) => Math.max(most, score), Number.NEGATIVE_INFINITY)
  return pieces.flatMap(({ text, score, type }): [string, number, number][] => {
    if (type !== PIECE.normal && type !== PIECE.userDefined) return []
    // SentencePiece prefers what a user has defined to everything else.
    const own = type === PIECE.userDefined ? [...text].length * best - 0.1 : score
    return [[text, own, ids.get(text) ?? unknown]]
  })
}
