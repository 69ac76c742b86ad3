import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { TemplateError } from '../../src/templates/errors.ts'
import { FIXTURES, loadTokenizer, readFixture, readText, vocabularyFolder } from './load.ts'

const SIZES = {
  'small-320': 320,
  'deepseek-v3': 128_815,
  'llama-3': 128_256,
  'qwen-3': 151_669,
  'gemma-3': 262_145,
  'gpt-4o': 200_019,
}

describe.each(FIXTURES)('%s', name => {
  const fixture = readFixture(name)
  const tokenizer = loadTokenizer(fixture)

  test('is the vocabulary the fixture was made with', () => {
    const text = readText(`${vocabularyFolder(fixture)}tokenizer.json`)
    expect(createHash('sha256').update(text).digest('hex')).toBe(fixture.sha256)
  })

  test('its size', () => {
    expect(tokenizer.vocabSize).toBe(SIZES[name])
  })

  test('encode', () => {
    expect(fixture.encode.length).toBe(78)
    for (const { name, text, ids, ids_with_special } of fixture.encode) {
      expect(tokenizer.encode(text, { addSpecialTokens: false }), name).toEqual(ids)
      expect(tokenizer.encode(text), name).toEqual(ids_with_special)
    }
  })

  test('decode', () => {
    for (const { name, ids, ids_with_special, decoded, decoded_skip_special } of fixture.encode) {
      expect(tokenizer.decode(ids), name).toBe(decoded)
      expect(tokenizer.decode(ids_with_special, { skipSpecialTokens: true }), name).toBe(decoded_skip_special)
    }
  })

  test('every text streams to what it decodes to', () => {
    for (const { name, ids, ids_with_special, decoded, decoded_skip_special } of fixture.encode) {
      const all = tokenizer.detokenizer()
      expect(ids.map(id => all.push(id)).join('') + all.flush(), name).toBe(decoded)
      const plain = tokenizer.detokenizer({ skipSpecialTokens: true })
      expect(ids_with_special.map(id => plain.push(id)).join('') + plain.flush(), name).toBe(decoded_skip_special)
    }
  })

  test('incremental', () => {
    expect(fixture.incremental.length).toBeGreaterThanOrEqual(18)
    const reused = tokenizer.detokenizer()
    for (const { name, ids, emit, flush } of fixture.incremental) {
      expect(
        ids.map(id => reused.push(id)),
        name,
      ).toEqual(emit)
      expect(reused.flush(), name).toBe(flush)
      expect(tokenizer.decode(ids), name).toBe(emit.join('') + flush)
    }
  })

  test('the bytes of the tokens are the bytes of the text', () => {
    for (const { name, ids, decoded } of fixture.encode) {
      const bytes = ids.flatMap(id => [...tokenizer.tokenBytes(id)])
      expect(new TextDecoder('utf-8', { ignoreBOM: true }).decode(Uint8Array.from(bytes)), name).toBe(decoded)
    }
  })

  test('chat templates', () => {
    for (const [i, chat] of fixture.chat.entries()) {
      const options = { addGenerationPrompt: chat.add_generation_prompt, ...(chat.tools && { tools: chat.tools }) }
      const label = `${i} ${chat.name}`
      if (chat.error !== undefined) {
        const refused = captured(() => tokenizer.applyChatTemplate(chat.messages, options))
        expect(refused, label).toBeInstanceOf(TemplateError)
        expect(refused, label).toMatchObject({ message: chat.error, raised: true, code: 'bad_template' })
      } else {
        expect(tokenizer.applyChatTemplate(chat.messages, options), label).toBe(chat.text)
        // One case has only its text; its ids must still be those of the text.
        const ids = chat.ids ?? tokenizer.encode(chat.text!, { addSpecialTokens: false })
        expect(tokenizer.encodeChat(chat.messages, options), label).toEqual(ids)
      }
    }
  })

  test('a rendered conversation has exactly one beginning-of-text token, where there is one', () => {
    for (const chat of fixture.chat) {
      if (chat.text === undefined || tokenizer.bosId === undefined) continue
      const bosOf = (ids: number[]) => ids.filter(id => id === tokenizer.bosId).length
      expect(bosOf(tokenizer.encodePrompt(chat.text)), chat.name).toBe(1)
      expect(bosOf(tokenizer.encodePrompt(chat.text, { bos: true })), chat.name).toBe(1)
    }
  })
})

test('all template cases are there', () => {
  expect(FIXTURES.map(name => readFixture(name).chat.length)).toEqual([0, 11, 7, 11, 7, 0])
})

function captured(run: () => unknown): unknown {
  try {
    return run()
  } catch (error) {
    return error
  }
}
