/** Chats: their answers are learned, and nothing else, with the tokens that a session would see. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { bundledModel } from '../../src/checkpoint/find/bundled-model.ts'
import { createTokenizer, type Tokenizer } from '../../src/tokenizer/tokenizer.ts'
import { ChatTexts } from '../../src/training/chat-texts.ts'
import { type TrainingEvent, train } from '../../src/training/index.ts'
import { Batches, type Document } from '../../src/training/pieces.ts'
import { TEMPLATES, templateText } from '../formats/templates.ts'
import { inMemory } from './in-memory.ts'
import { smallModel } from './small-model.ts'

const JSON_FILE = JSON.parse(readFileSync(join(bundledModel(), 'tokenizer.json'), 'utf8'))

/** The bundled model's tokenizer with the control tokens that a template writes. */
function tokenizerOf(chatTemplate: string, eos: string): Tokenizer {
  const written = chatTemplate.match(/<[|｜][^<>\s'"]+?[|｜]>|<\/?s>|<(?:start|end)_of_turn>|\[\/?INST\]/g) ?? []
  const next = JSON_FILE.added_tokens.length + Object.keys(JSON_FILE.model.vocab).length
  const added = [...new Set([...written, eos, '<s>'])].map((content, i) => {
    const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true }
    return { id: next + i, content, ...flags }
  })
  const tokenizer = { ...JSON_FILE, added_tokens: [...JSON_FILE.added_tokens, ...added] }
  return createTokenizer({ tokenizer, config: { eos_token: eos, bos_token: '<s>' }, chatTemplate })
}

const CHAT = [
  { role: 'user', content: 'How many legs has a cat?' },
  { role: 'assistant', content: 'A cat has four.' },
  { role: 'user', content: 'And a bird?' },
  { role: 'assistant', content: 'A bird has two.' },
]

function chatsOf(chatTemplate: string, eos: string) {
  const tokenizer = tokenizerOf(chatTemplate, eos)
  return { tokenizer, chats: new ChatTexts(tokenizer, 'llama', [tokenizer.eosId as number]) }
}

/** The texts of the answers that are learned. */
function learnedTexts(tokenizer: Tokenizer, { tokens, learned }: Document): string[] {
  const texts: string[] = []
  let from = -1
  for (let i = 0; i <= tokens.length; i++) {
    if (learned?.[i] === 1) {
      if (from < 0) from = i
    } else if (from >= 0) {
      texts.push(tokenizer.decode(tokens.subarray(from, i)))
      from = -1
    }
  }
  return texts
}

describe('the answers of a chat are learned, with the token that ends them', () => {
  const FAMILIES = [
    ['ChatML, SmolLM2', 'axolotl/chatml', '<|im_end|>'],
    ['Llama 3', 'llama-cpp-python/meta-llama-Llama-3.2-3B-Instruct', '<|eot_id|>'],
    ['DeepSeek V2', 'axolotl/deepseek_v2', '<｜end▁of▁sentence｜>'],
    ['DeepSeek V3', 'axolotl/deepseek_v3', '<｜end▁of▁sentence｜>'],
    ['Qwen 2.5', 'llama-cpp-python/Qwen-Qwen2.5-7B-Instruct', '<|im_end|>'],
    ['Mistral Nemo', 'llama-cpp-python/mistralai-Mistral-Nemo-Instruct-2407', '</s>'],
    ['Gemma 2', 'llama-cpp-python/google-gemma-2-2b-it', '<end_of_turn>'],
    ['Phi 3', 'axolotl/phi_3', '<|end|>'],
  ] as const
  it.each(FAMILIES)('%s', (_, name, eos) => {
    const { tokenizer, chats } = chatsOf(templateText(name), eos)
    const documents = chats.documents(CHAT, undefined)
    expect(documents.flatMap(document => learnedTexts(tokenizer, document).map(text => text.trim()))).toEqual([
      `A cat has four.${eos}`,
      `A bird has two.${eos}`,
    ])
    expect(documents).toHaveLength(1)
    // What comes before the last answer is what a session reads for it.
    const { prompt, answer } = chats.lastAnswer(CHAT, undefined)
    const now = new Date(2024, 6, 26)
    expect([...prompt]).toEqual(tokenizer.encodeChat(CHAT.slice(0, 3), { addGenerationPrompt: true, now }))
    expect(tokenizer.decode(answer).trim()).toBe(`A bird has two.${eos}`)
    expect(documents[0]?.tokens.length).toBeGreaterThanOrEqual(prompt.length + answer.length)
    for (const none of [[], CHAT.slice(0, 3), CHAT.slice(1, 2)])
      expect(() => chats.lastAnswer(none, undefined)).toThrow(/end with no answer|messages/)
  })

  it('an answer that is ended by the next message, and one without an end, get theirs', () => {
    const template =
      "{% for m in messages %}{{ '<|' + m.role + '|>' + m.content }}{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}<|user|>"
    const { tokenizer, chats } = chatsOf(template.slice(0, -8).concat('{#<|user|>#}'), '<|user|>')
    const [document] = chats.documents(CHAT, undefined) as [Document]
    expect(learnedTexts(tokenizer, document)).toEqual(['A cat has four.<|user|>', 'A bird has two.<|user|>'])
  })

  it('what a template writes otherwise once others follow has a document of its own', () => {
    // Qwen 3 leaves out the thoughts of earlier answers.
    const { tokenizer, chats } = chatsOf(templateText('llama-cpp-python/Qwen-Qwen3-0.6B'), '<|im_end|>')
    const thinking = CHAT.map(message => (message.role === 'user' ? message : { ...message, reasoning_content: 'Hm.' }))
    const documents = chats.documents(thinking, undefined)
    expect(documents.map(document => learnedTexts(tokenizer, document))).toEqual([
      ['<think>\nHm.\n</think>\n\nA cat has four.<|im_end|>'],
      ['<think>\nHm.\n</think>\n\nA bird has two.<|im_end|>'],
    ])
    expect(tokenizer.decode((documents[1] as Document).tokens).match(/Hm\./g)).toHaveLength(1)
  })

  it('a template whose opening is not what it writes of an answer is refused', () => {
    const { chats } = chatsOf(
      templateText('llama-cpp-python/deepseek-ai-DeepSeek-R1-Distill-Qwen-32B'),
      '<｜end▁of▁sentence｜>',
    )
    expect(() => chats.documents(CHAT, undefined)).toThrow(/opens an answer with "<think>/)
  })

  it('calls of tools are answers, in OpenAI’s form; weight 0 is not learned', () => {
    const { tokenizer, chats } = chatsOf(templateText('llama-cpp-python/Qwen-Qwen2.5-7B-Instruct'), '<|im_end|>')
    const call = { id: 'a', type: 'function', function: { name: 'weather', arguments: '{"place":"Rome"}' } }
    const tools = [{ type: 'function', function: { name: 'weather', parameters: { type: 'object', properties: {} } } }]
    const chat = [
      { role: 'user', content: 'Weather in Rome?' },
      { role: 'assistant', content: null, tool_calls: [call] },
      { role: 'tool', tool_call_id: 'a', content: 'sunny' },
      { role: 'assistant', content: 'It is sunny.' },
    ]
    const texts = (messages: unknown) =>
      chats.documents(messages, tools).flatMap(document => learnedTexts(tokenizer, document))
    expect(texts(chat)).toEqual([
      '<tool_call>\n{"name": "weather", "arguments": {"place": "Rome"}}\n</tool_call><|im_end|>',
      'It is sunny.<|im_end|>',
    ])
    expect(texts(chat.map((message, i) => (i === 1 ? { ...message, weight: 0 } : message)))).toEqual([
      'It is sunny.<|im_end|>',
    ])
    expect(() => texts(chat.slice(0, 1))).toThrow('no answer to learn')
    expect(() => texts([{ role: 'assistant', content: 'x', weight: 2 }])).toThrow('messages[0].weight is 2')
  })

  it('a control token that somebody wrote ends no answer', () => {
    const { tokenizer, chats } = chatsOf(templateText('axolotl/chatml'), '<|im_end|>')
    const [document] = chats.documents(
      [
        { role: 'user', content: 'x<|im_end|>' },
        { role: 'assistant', content: 'y' },
      ],
      undefined,
    )
    const ends = document?.tokens.filter(id => id === tokenizer.eosId)
    expect(ends).toHaveLength(2)
  })

  it('with published templates, a third of them, or they are refused in a sentence', () => {
    let read = 0
    for (const [i, { name, text }] of TEMPLATES.entries()) {
      if (name.startsWith('ollama/') || i % 3 !== 0) continue
      const eos =
        /<\|im_end\|>|<\|eot_id\|>|<\|end\|>|<｜end▁of▁sentence｜>|<end_of_turn>|<\|user\|>/.exec(text)?.[0] ?? '</s>'
      const { tokenizer, chats } = chatsOf(text, eos)
      try {
        const texts = chats.documents(CHAT, undefined).flatMap(document => learnedTexts(tokenizer, document))
        expect(texts.length, name).toBe(2)
        expect(texts[0], name).toContain('A cat has four.')
        expect(texts[1], name).toContain('A bird has two.')
        for (const answer of texts) expect(answer, name).not.toMatch(/many legs|And a bird/)
        read++
      } catch (error) {
        if (!/Option|Template/.test((error as Error).name)) throw error
      }
    }
    expect(read).toBeGreaterThan(40)
  })
})

describe('a run on chats', () => {
  const place = mkdtempSync(join(tmpdir(), 'latentkit-chats-'))
  afterAll(() => rmSync(place, { recursive: true }))

  it('counts answers only, leaves out what is too long, and names the line that is wrong', async () => {
    const model = smallModel(join(place, 'model'))
    writeFileSync(
      join(model, 'chat_template.jinja'),
      "{% for m in messages %}{{ m.role + ': ' + m.content }}<|endoftext|>{% endfor %}{% if add_generation_prompt %}assistant: {% endif %}",
    )
    const data = join(place, 'chats.jsonl')
    const long = [CHAT[0], { role: 'assistant', content: 'four '.repeat(100) }]
    writeFileSync(data, [CHAT, CHAT, long].map(messages => JSON.stringify({ messages })).join('\n'))
    const options = { data: [data], kernels: 'reference', contextLength: 64, batchTokens: 40, steps: 2 } as const
    const events: TrainingEvent[] = []
    for await (const event of train(model, join(place, 'run'), options)) events.push(event)
    expect(events[0]).toMatchObject({ documents: 3, tooLong: 1 })
    expect(events.filter(({ type }) => type === 'step')).toHaveLength(2)
    writeFileSync(data, `${JSON.stringify({ messages: CHAT })}\n${JSON.stringify({ messages: [{ role: 'user' }] })}\n`)
    await expect(train(model, join(place, 'bad'), options).next()).rejects.toThrow(
      /chats.jsonl, line 2: messages has no answer/,
    )
    writeFileSync(data, '{"message": []}')
    await expect(train(model, join(place, 'bad'), options).next()).rejects.toThrow(/line 1 has no text or messages/)
  })

  it('asks nothing of the other tokens', () => {
    const tokens = Int32Array.from([1, 2, 3, 4, 5])
    const batches = new Batches(inMemory([{ tokens, learned: Uint8Array.from([0, 0, 1, 1, 0]) }]), {
      contextLength: 8,
      batchTokens: 4,
      seed: 0,
    })
    expect(batches.next().map(({ targets }) => [...(targets as Int32Array)])).toEqual([[-1, 3, 4, -1]])
  })
})
