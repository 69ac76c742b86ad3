/** Unigrams of SentencePiece, as parts of a tokenizer.json. */
import { CheckpointError, UnsupportedModelError } from '../../errors.ts'
import type { JsonObject } from '../json-file.ts'
import type { CheckpointFiles } from '../source/checkpoint-files.ts'
import { parseSentencePiece, type SentencePieceModel } from './model-file.ts'

const SPACE = '\u2581'
/** Bytes. Real ones: below 5 MB. */
const MOST = 64 << 20
/** `model_type` of unigrams. */
const UNIGRAM = 1

/** Throws CheckpointError, or UnsupportedModelError for a model of another kind. */
export async function readUnigrams(files: CheckpointFiles, name: string): Promise<SentencePieceModel> {
  const source = await files.open(name)
  const where = source.path ?? source.name
  if (source.size > MOST) throw new CheckpointError(`${where} has ${source.size} bytes; expected at most ${MOST}`)
  const model = parseSentencePiece(await source.read(0, source.size), where)
  if (model.modelType !== UNIGRAM) {
    throw new UnsupportedModelError(
      `${where} is no model of unigrams; latentkit reads no other kind of SentencePiece here`,
    )
  }
  return model
}

/** How texts are normalised and cut into words, and words joined again. */
export function spacesOf({ charsMap, prefix, removesSpaces }: SentencePieceModel): JsonObject {
  const words = { type: 'Metaspace', replacement: SPACE, prepend_scheme: prefix ? 'always' : 'never', split: true }
  const whole = { type: 'Sequence', pretokenizers: [{ type: 'WhitespaceSplit' }, words] }
  return {
    normalizer: charsMap.length > 0 ? { type: 'Precompiled', precompiled_charsmap: base64(charsMap) } : null,
    pre_tokenizer: prefix && removesSpaces ? whole : words,
    decoder: words,
  }
}

/** What tokenizer_config.json leaves unsaid beside such a file. */
export function sentencePieceTokens(config: JsonObject = {}): JsonObject {
  return { eos_token: '</s>', unk_token: '<unk>', pad_token: '<pad>', ...config, add_bos_token: false }
}

/** A text, then the token that ends it. */
export function endedBy(token: string, id: number): JsonObject {
  return {
    type: 'TemplateProcessing',
    single: [{ Sequence: { id: 'A', type_id: 0 } }, { SpecialToken: { id: token, type_id: 0 } }],
    special_tokens: { [token]: { id: token, ids: [id], tokens: [token] } },
  }
}

function base64(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += String.fromCharCode(byte)
  return btoa(text)
}
