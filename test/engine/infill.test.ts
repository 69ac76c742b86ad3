/** The text in a gap: by the family's marks, within the context, ended by the family's marks. */
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Metadata } from '../../src/checkpoint/gguf/metadata.ts'
import { tokenizerOf } from '../../src/checkpoint/gguf/tokenizer.ts'
import { infillIds } from '../../src/engine/prompt/infill-ids.ts'
import { ContextLengthError, Engine, OptionError, UnsupportedModelError } from '../../src/index.ts'
import { createTokenizer } from '../../src/tokenizer/tokenizer.ts'
import { latentkit } from '../cli/run.ts'
import { tempFolder } from '../support/temp-folder.ts'
import { readFixture, readJson, vocabularyFolder } from '../tokenizer/load.ts'
import { loadTales, TALES } from './tales.ts'

const LOAD = { inline: true, threads: 1 } as const
const QWEN = ['<|fim_prefix|>', '<|fim_suffix|>', '<|fim_middle|>', '<|fim_pad|>']
const SEED = ['<[fim-prefix]>', '<[fim-suffix]>', '<[fim-middle]>']

/** The bundled model, whose last tokens are these marks; and their ids. */
function marked(marks: readonly string[]): { folder: string; ids: number[] } {
  const tokenizer = readJson(`${TALES}/tokenizer.json`) as {
    added_tokens: object[]
    model: { vocab: Record<string, number>; merges: unknown[] }
  }
  const { vocab, merges } = tokenizer.model
  const first = Object.keys(vocab).length - marks.length
  const kept = Object.entries(vocab).filter(([, id]) => id < first)
  const ids = marks.map((_, i) => first + i)
  tokenizer.model.vocab = Object.fromEntries(kept)
  tokenizer.model.merges = merges.slice(0, merges.length - marks.length)
  const rest = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true }
  tokenizer.added_tokens.push(...marks.map((content, i) => ({ id: ids[i], content, ...rest })))
  const folder = tempFolder({ 'tokenizer.json': JSON.stringify(tokenizer) })
  for (const file of ['config.json', 'tokenizer_config.json', 'model.safetensors'])
    copyFileSync(join(TALES, file), join(folder, file))
  return { folder, ids }
}

const PREFIX = 'Once upon a time there was a fox. '
const SUFFIX = ' So the fox went home.'

describe('infill', () => {
  it("puts the texts between the family's marks, and reuses what it has read", async () => {
    const { folder, ids } = marked(QWEN)
    const [prefix, suffix, middle] = ids
    const engine = await Engine.load(folder, LOAD)
    const session = engine.session()
    const options = { temperature: 0, maxTokens: 8, ignoreEos: true }
    const first = await session.infill({ prefix: PREFIX, suffix: SUFFIX }, options)
    const [bos] = await engine.tokenize('<|endoftext|>')
    const [before, after] = [await engine.tokenize(PREFIX), await engine.tokenize(SUFFIX)]
    const expected = [bos, prefix, ...before, suffix, ...after, middle]
    expect(session.tokens).toEqual([...expected, ...first.tokenIds])
    expect(first.usage).toMatchObject({ promptTokens: expected.length, cutTokens: 0 })
    const again = await session.infill({ prefix: PREFIX, suffix: ' The end.' }, options)
    expect(again.usage.cachedTokens).toBeGreaterThanOrEqual(before.length + 2)
    const alone = await engine.infill({ prefix: PREFIX, suffix: SUFFIX }, options)
    expect(alone.text).toBe(first.text)
    // Marks that are written in a text are text.
    await session.infill({ prefix: 'a<|fim_middle|>b', suffix: '' }, options)
    expect(session.tokens.filter(id => id === middle)).toHaveLength(1)
    const resume = { tokenIds: first.tokenIds.slice(0, 3) }
    expect((await engine.infill({ prefix: PREFIX, suffix: SUFFIX }, { ...options, resume })).text).toBe(first.text)
    await engine.dispose()
  })

  it("ends at the family's other marks", async () => {
    const { folder, ids } = marked(QWEN)
    const engine = await Engine.load(folder, LOAD)
    for (const end of [ids[3], ids[1]] as number[]) {
      const options = { temperature: 0, maxTokens: 8, logitBias: { [end]: 100 } }
      const ended = await engine.infill({ prefix: PREFIX, suffix: SUFFIX }, options)
      expect([ended.text, ended.tokenIds, ended.finishReason]).toEqual(['', [], 'stop'])
      // To a text they are tokens like others.
      expect((await engine.generate(PREFIX, options)).finishReason).toBe('length')
    }
    await engine.dispose()
  })

  it('cuts the far ends of what the context does not hold', async () => {
    const { folder, ids } = marked(SEED)
    const [prefix, suffix, middle] = ids as [number, number, number]
    const engine = await Engine.load(folder, { ...LOAD, contextLength: 64 })
    const [before, after] = [await engine.tokenize(PREFIX.repeat(20)), await engine.tokenize(SUFFIX.repeat(20))]
    const options = { temperature: 0, maxTokens: 20, ignoreEos: true }
    const parts = async (prefixText: string, suffixText: string) => {
      const session = engine.session()
      const { usage, finishReason } = await session.infill({ prefix: prefixText, suffix: suffixText }, options)
      expect(finishReason).toBe('length')
      const prompt = session.tokens.slice(0, usage.promptTokens)
      // Seed-Coder: the suffix comes first.
      expect([prompt[1], prompt.at(-1)]).toEqual([suffix, middle])
      const at = prompt.indexOf(prefix)
      return { cut: usage.cutTokens, after: prompt.slice(2, at), before: prompt.slice(at + 1, -1) }
    }
    // 64 - 20 for the gap - 3 marks - 1 bos.
    const both = await parts(PREFIX.repeat(20), SUFFIX.repeat(20))
    expect(both).toEqual({
      cut: before.length + after.length - 40,
      after: after.slice(0, 10),
      before: before.slice(-30),
    })
    const short = await parts('The', SUFFIX.repeat(20))
    expect([short.before.length, short.after.length]).toEqual([1, 39])
    const long = await parts(PREFIX.repeat(20), '')
    expect([long.before, long.after]).toEqual([before.slice(-40), []])
    await expect(engine.session({ contextLength: 4 }).infill({ prefix: '', suffix: '' })).rejects.toThrow(
      ContextLengthError,
    )
    await engine.dispose()
  })

  it('is refused by name: a model without marks, a gap without a side', async () => {
    const engine = await loadTales()
    await expect(engine.infill({ prefix: 'a', suffix: 'b' })).rejects.toThrow(UnsupportedModelError)
    await expect(engine.infill({ prefix: 'a', suffix: 'b' })).rejects.toThrow(/^tales-mla-8m has no marks of a gap/)
    const wrong = (gap: object, message: RegExp) =>
      expect(engine.infill(gap as { prefix: string; suffix: string })).rejects.toThrow(message)
    await wrong({ prefix: 'a' }, /infill has no suffix/)
    await wrong({ prefix: 'a', sufix: 'b' }, /infill has no option sufix; did you mean suffix\?/)
    await expect(engine.infill({ prefix: 'a', suffix: 5 } as never)).rejects.toThrow(OptionError)
    await engine.dispose()
  })

  it('is --suffix of generate', async () => {
    const { folder } = marked(QWEN)
    const args = ['generate', folder, PREFIX, '--suffix', SUFFIX, '--temperature', '0', '--max-tokens', '8']
    const { stdout, code } = await latentkit([...args, '--quiet'])
    const engine = await Engine.load(folder, LOAD)
    const { text } = await engine.infill({ prefix: PREFIX, suffix: SUFFIX }, { temperature: 0, maxTokens: 8 })
    await engine.dispose()
    expect([stdout, code]).toEqual([`${text}\n`, 0])
    expect((await latentkit([...args, '--n', '2'])).stderr).toMatch(/--suffix is for one text/)
  })
})

describe('marks of a gap', () => {
  it('are found in published vocabularies', () => {
    const open = (name: string) =>
      createTokenizer({ tokenizer: readJson(`${vocabularyFolder(readFixture(name))}tokenizer.json`) })
    const written = (name: string) => {
      const tokenizer = open(name)
      const { prefix, suffix, middle } = tokenizer.infill ?? { prefix: -1, suffix: -1, middle: -1 }
      return [prefix, suffix, middle ?? -1].map(id => tokenizer.idToToken(id))
    }
    expect(written('deepseek-v3')).toEqual(['<｜fim▁begin｜>', '<｜fim▁hole｜>', '<｜fim▁end｜>'])
    expect(written('qwen-3')).toEqual(QWEN.slice(0, 3))
    expect(open('llama-3').infill).toBeNull()
  })

  it('of CodeLlama and Codestral stand before a suffix that begins without a space', () => {
    const prompt = (added: readonly string[], suffix: string) => {
      const letters = ['<unk>', '<s>', '▁', 'a', 'b', '☺', '☺b', '\n']
      const vocab = Object.fromEntries(letters.map((token, id) => [token, id]))
      const tokenizer = createTokenizer({
        tokenizer: {
          model: { type: 'BPE', vocab, merges: [['☺', 'b']], unk_token: '<unk>' },
          normalizer: {
            type: 'Sequence',
            normalizers: [
              { type: 'Prepend', prepend: '▁' },
              { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
            ],
          },
          pre_tokenizer: null,
          decoder: null,
          post_processor: null,
          added_tokens: added.map((content, i) => ({ id: letters.length + i, content, special: true })),
        },
        config: { bos_token: '<s>', add_bos_token: true },
      })
      const { ids, ends } = infillIds(tokenizer, { prefix: 'a b', suffix }, {}, { name: 'm', contextLength: 64 })
      const written = (list: readonly number[]) => list.map(id => tokenizer.idToToken(id)).join(' ')
      return [written(ids), written(ends ?? [])]
    }
    const llama = ['▁<PRE>', '▁<MID>', '▁<SUF>', '▁<EOT>']
    const codellama = '▁<EOT> ▁<PRE> ▁<SUF> ▁<MID>'
    expect(prompt(llama, '\na')).toEqual(['<s> ▁<PRE> ▁ a ▁ b ▁<SUF> \n a ▁<MID>', codellama])
    expect(prompt(llama, '')).toEqual(['<s> ▁<PRE> ▁ a ▁ b ▁<SUF> ▁<MID>', codellama])
    // Where the sign before it becomes a part of the text, the space is the smaller evil.
    expect(prompt(llama, 'ba')[0]).toBe('<s> ▁<PRE> ▁ a ▁ b ▁<SUF> ▁ b a ▁<MID>')
    const codestral = prompt(['[PREFIX]', '[MIDDLE]', '[SUFFIX]'], ' a')
    expect(codestral).toEqual(['<s> [SUFFIX] ▁ a [PREFIX] ▁ a ▁ b', '[MIDDLE] [PREFIX] [SUFFIX]'])
  })

  it("are what a GGUF file's keys say, of today and of older files", () => {
    const tokens = ['a', '<A>', '<B>', '<C>', '<D>']
    const open = (keys: Record<string, number>) => {
      const values = {
        'tokenizer.ggml.model': 'gpt2',
        'tokenizer.ggml.pre': 'gpt-2',
        'tokenizer.ggml.tokens': tokens,
        'tokenizer.ggml.token_type': Int32Array.of(1, 3, 3, 3, 3),
        'tokenizer.ggml.merges': [],
        ...keys,
      }
      const { tokenizer, tokenizerConfig } = tokenizerOf(new Metadata(new Map(Object.entries(values)), 'm.gguf'))
      return createTokenizer({ tokenizer, config: tokenizerConfig }).infill
    }
    const key = (name: string) => `tokenizer.ggml.${name}_token_id`
    const today = open({ [key('fim_pre')]: 3, [key('fim_suf')]: 2, [key('fim_mid')]: 1, [key('fim_pad')]: 4 })
    expect(today).toEqual({
      prefix: 3,
      suffix: 2,
      middle: 1,
      suffixFirst: false,
      suffixContinues: false,
      ends: [4, 3, 2, 1],
    })
    const older = open({ [key('prefix')]: 3, [key('suffix')]: 2, [key('middle')]: 1 })
    expect(older).toMatchObject({ prefix: 3, suffix: 2, middle: 1 })
    expect(open({ [key('fim_pre')]: 3 })).toBeNull()
  })
})
