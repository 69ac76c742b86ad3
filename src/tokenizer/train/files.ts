import type { TrainedBpe } from './bpe-trainer.ts'
import { BYTE_LEVEL } from './words.ts'

/** tokenizer.json, as `tokenizers` and transformers read it. `special`: the first of the vocabulary. */
export function tokenizerJson({ tokens, merges }: TrainedBpe, special: readonly string[]): object {
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: special.map((content, id) => ({
      ...{ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true },
    })),
    normalizer: null,
    pre_tokenizer: BYTE_LEVEL,
    post_processor: null,
    decoder: BYTE_LEVEL,
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      merges,
    },
  }
}

/** tokenizer_config.json: texts begin and end with `end`, as GPT-2's do. */
export function tokenizerConfig(end: string): object {
  return {
    bos_token: end,
    clean_up_tokenization_spaces: false,
    eos_token: end,
    tokenizer_class: 'PreTrainedTokenizerFast',
    unk_token: null,
  }
}
