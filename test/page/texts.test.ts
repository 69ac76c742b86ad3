/** What the page computes before it shows anything: streams, requests, stored data, Markdown in parts. No browser. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { splitBlocks } from '../../apps/page/markdown/blocks.ts'
import { safeAddress } from '../../apps/page/markdown/links.ts'
import { parseMarkdown, type Token } from '../../apps/page/markdown/parser.ts'
import { newConversation, path, type UserTurn, withShown, withTurn } from '../../apps/page/talk/conversation.ts'
import { exportText, importText, readConversation } from '../../apps/page/talk/exchange.ts'
import { contentOf } from '../../apps/page/talk/request.ts'
import { NO_SETTINGS, requestFields } from '../../apps/page/talk/settings.ts'
import { readChunk } from '../../apps/page/wire/answer.ts'
import { eventData } from '../../apps/page/wire/events.ts'
import { refusalOf } from '../../apps/page/wire/failure.ts'

describe('an event stream', () => {
  const source = ': ping\n\nevent: x\ndata: {"a":"wörld 🙂"}\n\ndata: one\r\ndata:two\r\n\r\ndata: [DONE]\n\ndata: cut'
  const expected = ['{"a":"wörld 🙂"}', 'one\ntwo', '[DONE]']

  it('has the same events however it is cut, inside characters too', async () => {
    const bytes = new TextEncoder().encode(source)
    for (let size = 1; size <= bytes.length; size++) {
      const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) =>
        bytes.slice(at * size, (at + 1) * size),
      )
      const stream = new ReadableStream<Uint8Array>({
        pull(controller) {
          const chunk = chunks.shift()
          if (chunk === undefined) controller.close()
          else controller.enqueue(chunk)
        },
      })
      const events: string[] = []
      for await (const data of eventData(stream)) events.push(data)
      expect(events).toEqual(expected)
    }
  })

  it('is cancelled when its reader leaves', async () => {
    let cancelled = false
    const stream = new ReadableStream<Uint8Array>({
      start: controller => controller.enqueue(new TextEncoder().encode('data: a\n\ndata: b\n\n')),
      cancel: () => {
        cancelled = true
      },
    })
    for await (const data of eventData(stream)) {
      expect(data).toBe('a')
      break
    }
    expect(cancelled).toBe(true)
  })

  it('gives chunks of any shape without throwing', () => {
    fc.assert(fc.property(fc.jsonValue(), value => void readChunk({ choices: value, usage: value, timings: value })))
    expect(() => readChunk({ error: { message: 'no memory' } })).toThrow('No memory.')
  })
})

describe('Markdown that grows', () => {
  const blocks = [
    'A paragraph with *words*\nand a second line.',
    'Setext\n===',
    '# Heading',
    '- a\n- b\n\n  more of b\n    - c',
    '1. x\n2. y',
    '> quoted\nlazy',
    '```js\nconst a = 1\n\n# no heading\n```',
    '~~~\nopen fence',
    '| a | b |\n|---|:-:|\n| 1 | 2 |',
    '$$\nx^2\n$$',
    '$$\nnot closed\n- a',
    '$$ x\n- y $$',
    '\\[ not closed either',
    '\\[ y \\] and \\(z\\)',
    '[ref]: https://a.example "title"',
    'see [ref] and https://b.example',
    '---',
    '    indented',
    '<b>no html</b>',
  ]

  /** What tokens say, without their places. */
  const said = (tokens: readonly Token[]): unknown =>
    tokens.map(({ type, tag, attrs, content, info, hidden, children }) => [
      type,
      tag,
      attrs,
      content,
      info,
      hidden,
      children && said(children),
    ])

  it('settles into the blocks of the whole text, for every cut', () => {
    const texts = fc.array(fc.constantFrom(...blocks), { minLength: 1, maxLength: 6 })
    const property = fc.property(
      texts,
      fc.constantFrom('\n', '\n\n', '\n\n\n'),
      fc.integer({ min: 1, max: 9 }),
      (parts, gap, step) => {
        const text = parts.join(gap)
        let open = 0
        let references = {}
        const settled: Token[] = []
        let last: Token[] = []
        for (let end = step; end < text.length + step; end += step) {
          const found = splitBlocks(text.slice(0, end), open, references)
          settled.push(...found.settled.flat())
          last = found.last
          open = found.open
          references = found.references
        }
        // Links by reference may be used before they are defined: the page then draws the whole at the end.
        if (!text.includes('[ref]:')) expect(said([...settled, ...last])).toEqual(said(parseMarkdown(text, {})))
        else
          expect([...settled, ...last].map(token => token.type)).toEqual(
            parseMarkdown(text, {}).map(token => token.type),
          )
      },
    )
    fc.assert(property, { numRuns: 200, seed: 18 })
  })

  it('reads hostile texts in time', () => {
    const started = performance.now()
    for (const hostile of [
      '['.repeat(10_000),
      '![]('.repeat(4_000),
      '*a_b'.repeat(4_000),
      '> '.repeat(5_000),
      '$a'.repeat(4_000),
      '\\('.repeat(4_000),
    ])
      parseMarkdown(hostile, {})
    expect(performance.now() - started).toBeLessThan(20_000)
  })

  it('links only to addresses of the web and of mail', () => {
    expect(safeAddress('https://a.example/?q=1')).toBe('https://a.example/?q=1')
    expect(safeAddress('mailto:a@b.example')).toBe('mailto:a@b.example')
    for (const address of [
      'javascript:alert(1)',
      ' JaVaScRiPt:alert(1)',
      'data:text/html,x',
      'file:///etc',
      'blob:x',
      '/v1/models',
      '//x.example',
      'vbscript:x',
    ])
      expect(safeAddress(address), address).toBeUndefined()
  })
})

describe('a conversation', () => {
  const user = (id: string, parent: string | null, text = id): UserTurn => ({
    id,
    parent,
    role: 'user',
    text,
    files: [],
  })

  it('is a tree of which one path is shown', () => {
    let talk = newConversation(NO_SETTINGS, 1)
    for (const turn of [user('a', null, 'First line\nsecond'), user('b', 'a'), user('c', 'a'), user('d', 'c')])
      talk = withTurn(talk, turn, 2)
    expect(talk.title).toBe('First line')
    expect(path(talk).map(({ id }) => id)).toEqual(['a', 'c', 'd'])
    const shown = withShown(talk, user('b', 'a'))
    expect(path(shown).map(({ id }) => id)).toEqual(['a', 'b'])
    expect(path(withShown(shown, user('c', 'a'))).map(({ id }) => id)).toEqual(['a', 'c', 'd'])
  })

  it('comes back from its exported file, and anything else is refused or made safe', () => {
    const talk = withTurn(newConversation({ ...NO_SETTINGS, system: 'Be brief.' }, 1), user('a', null), 2)
    expect(importText(exportText([talk]))).toEqual([{ ...talk, id: expect.any(String) }])
    expect(() => importText('{}')).toThrow('This file was not exported from this page.')
    expect(() => importText('not JSON')).toThrow('This file was not exported from this page.')
    expect(() => importText('{"format":"latentkit.conversations","version":2}')).toThrow('version 2')
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            id: fc.constantFrom('a', 'b', 'c'),
            parent: fc.constantFrom('a', 'b', 'c', null),
            role: fc.constantFrom('user', 'answer', 'results', 'x'),
            text: fc.jsonValue(),
            calls: fc.jsonValue(),
          }),
        ),
        turns => {
          const read = readConversation({ turns, leaf: 'c', settings: turns })
          // A cycle would hang here.
          expect(path(read).length).toBeLessThanOrEqual(3)
        },
      ),
    )
  })

  it('puts files into fences that they cannot close', () => {
    const content = contentOf({ ...user('a', null, 'See.'), files: [{ name: 'x.md', text: '```\n`````\n' }] })
    expect(content).toBe('File x.md:\n``````\n```\n`````\n``````\n\nSee.')
  })

  it('sends settings under the names of the API, and leaves out what is empty or wrong', () => {
    expect(requestFields(NO_SETTINGS)).toEqual({})
    const settings = {
      ...NO_SETTINGS,
      topP: '0.9',
      topK: 'many',
      seed: '0',
      reasoning: 'low' as const,
      toolChoice: 'required' as const,
    }
    expect(requestFields(settings)).toEqual({ top_p: 0.9, seed: 0, reasoning_effort: 'low' })
    expect(requestFields({ ...settings, tools: '[{"name":"f"}]', more: '{"top_p":1}' })).toMatchObject({
      ...{ top_p: 1, tool_choice: 'required' },
      tools: [{ type: 'function', function: { name: 'f' } }],
    })
  })
})

describe('a refusal', () => {
  it.each([
    [401, '{"error":{"message":"missing API key"}}', null, 'key', 'Missing API key.'],
    [429, '{}', '3', 'busy', 'The server is busy. Try again in 3 s.'],
    [503, '{"error":{"message":"Loading model"}}', null, 'busy', 'Loading model. Try again in a moment.'],
    [500, '<html>', null, 'server', 'The server failed (status 500).'],
    [400, '{"error":{"message":"top_k must be an integer"}}', null, 'request', 'Top_k must be an integer.'],
    [404, 'Not Found', null, 'server', 'The server has no such address. Is it latentkit that answers here?'],
  ])('of status %d with %s is a sentence', (status, body, retryAfter, kind, message) => {
    expect(refusalOf(status, body, retryAfter)).toMatchObject({ kind, message })
  })
})
