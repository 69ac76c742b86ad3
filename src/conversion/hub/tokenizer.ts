/** tokenizer.json and what stands beside it for the hub's own library, which asks for every field. */
import type { Checkpoint } from '../../checkpoint/checkpoint.ts'
import type { JsonObject } from '../../checkpoint/json-file.ts'

/** By file name: text. */
export function tokenizerFiles({
  tokenizer,
  tokenizerConfig,
  chatTemplate,
  canonical,
}: Checkpoint): Map<string, string> {
  const files = new Map<string, string>()
  const add = (name: string, json: JsonObject | undefined) => {
    if (json) files.set(name, `${JSON.stringify(json, null, 2)}\n`)
  }
  add('tokenizer.json', tokenizer && canonical ? completed(tokenizer) : tokenizer)
  add(
    'tokenizer_config.json',
    tokenizerConfig && canonical ? { ...tokenizerConfig, tokenizer_class: 'PreTrainedTokenizerFast' } : tokenizerConfig,
  )
  if (chatTemplate !== undefined) files.set('chat_template.jinja', chatTemplate)
  return files
}

const ALIKE = { single_word: false, lstrip: false, rstrip: false }
const BYTE_LEVEL = { add_prefix_space: false, trim_offsets: true, use_regex: true }

function completed(tokenizer: JsonObject): JsonObject {
  const { added_tokens: added, post_processor: post, pre_tokenizer: pre, decoder, model, ...rest } = tokenizer
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    ...rest,
    added_tokens: (added as JsonObject[]).map(token => ({ ...ALIKE, ...token })),
    pre_tokenizer: pre && component(pre as JsonObject),
    post_processor: post && template(post as JsonObject),
    decoder: decoder && component(decoder as JsonObject),
    model: { dropout: null, continuing_subword_prefix: null, end_of_word_suffix: null, ...(model as JsonObject) },
  }
}

function component(part: JsonObject): JsonObject {
  switch (part.type) {
    case 'Sequence':
      return Array.isArray(part.pretokenizers)
        ? { ...part, pretokenizers: part.pretokenizers.map(component) }
        : { ...part, decoders: (part.decoders as JsonObject[]).map(component) }
    case 'ByteLevel':
      return { ...BYTE_LEVEL, ...part }
    case 'Split':
      return { invert: false, ...part, pattern: rustPattern(part.pattern as JsonObject) }
    default:
      return part
  }
}

/** The library's regular expressions call scripts by their name alone. */
function rustPattern(pattern: JsonObject): JsonObject {
  return typeof pattern.Regex === 'string' ? { Regex: pattern.Regex.replaceAll('\\p{Script=', '\\p{') } : pattern
}

/** Pairs of texts are of no use here, but the library wants to know. */
function template(post: JsonObject): JsonObject {
  const second = { Sequence: { id: 'B', type_id: 1 } }
  return { ...post, pair: [...(post.single as unknown[]), second] }
}
