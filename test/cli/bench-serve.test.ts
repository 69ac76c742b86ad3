/** What `npm run bench -- serve` sends, to whom, and what it makes of the answers. */
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { figures } from '../../bench/serve/figures.ts'
import { overHttp } from '../../bench/serve/over-http.ts'
import { arrivals, type BenchRequest, requests } from '../../bench/serve/requests.ts'
import { llamaServer } from '../../bench/serve/servers.ts'
import { type Answered, besideLong, closedLoop, openLoop } from '../../bench/serve/traffic.ts'
import { tempFolder } from '../support/temp-folder.ts'
import { lines } from './run.ts'

const answered: Answered = { pieces: [1], tokens: 1, promptTokens: 1 }

describe('requests of bench serve', () => {
  it('are the same for a seed, and share nothing but beginnings with those of another run', () => {
    const [one, again, other] = [requests(1, 'a', 50), requests(1, 'a', 50), requests(1, 'b', 50)]
    expect(again).toEqual(one)
    const beginnings = (list: typeof one) => new Set(list.map(({ prompt }) => prompt.slice(0, 128)))
    expect(beginnings(one).size).toBe(3)
    expect(beginnings(other)).toEqual(beginnings(one))
    const own = new Set(one.map(({ prompt }) => prompt.slice(128, 160)))
    expect(other.filter(({ prompt }) => own.has(prompt.slice(128, 160)))).toEqual([])
    for (const { prompt, tokens } of one) {
      expect(prompt.length).toBeGreaterThanOrEqual(160)
      expect(prompt.length).toBeLessThanOrEqual(384)
      expect(tokens).toBeGreaterThanOrEqual(16)
      expect(tokens).toBeLessThanOrEqual(64)
    }
  })

  it('come at the rate that was asked for', () => {
    const at = arrivals(1, 'a', 10_000, 4)
    expect(at).toEqual(at.toSorted((a, b) => a - b))
    expect(10_000 / (at.at(-1) ?? 0)).toBeCloseTo(4, 0)
  })

  it('are sent by as many clients as there are, each in its turn', async () => {
    const list = requests(1, 'a', 20)
    let now = 0
    let most = 0
    const seen: string[] = []
    const { answers } = await closedLoop(
      async ({ prompt }) => {
        seen.push(prompt)
        most = Math.max(most, ++now)
        await new Promise(resolve => setTimeout(resolve, 1))
        now--
        return answered
      },
      list,
      4,
    )
    expect(most).toBe(4)
    expect(seen).toEqual(list.map(({ prompt }) => prompt))
    expect(answers).toHaveLength(20)
  })

  it('are sent at their time while others run', async () => {
    const release: (() => void)[] = []
    const ask = () =>
      new Promise<Answered>(resolve => {
        release.push(() => resolve(answered))
        if (release.length === 3) for (const go of release) go()
      })
    const { answers, seconds } = await openLoop(ask, requests(1, 'a', 3), [0, 0.01, 0.03])
    expect(answers).toHaveLength(3)
    expect(seconds).toBeGreaterThan(0.025)
  })

  it('a long one is sent when all others are being answered; if it fails, all do', async () => {
    const [long, ...others] = requests(1, 'a', 4) as [BenchRequest, ...BenchRequest[]]
    let begun = 0
    const ask = (fails: boolean) => async (request: BenchRequest, begins?: () => void) => {
      const wait = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))
      if (request === long) {
        expect(begun).toBe(3)
        if (fails) throw new Error('refused')
      } else {
        await wait(5)
        begun++
        begins?.()
        await wait(20)
      }
      return answered
    }
    const { around, long: own } = await besideLong(ask(false), others, long)
    expect([around.answers.length, own.answers.length]).toEqual([3, 1])
    begun = 0
    await expect(besideLong(ask(true), others, long)).rejects.toThrow('refused')
  })
})

describe('answers of bench serve', () => {
  it('are tokens per second of each round, and percentiles of all', () => {
    const answers = Array.from({ length: 100 }, (_, i) => ({ pieces: [i, i + 5, i + 8], tokens: 3, promptTokens: 1 }))
    const made = figures([
      { seconds: 2, answers },
      { seconds: 3, answers },
    ])
    expect(made.tokensPerSecond).toEqual([150, 100])
    expect(made.firstToken).toEqual({ p50: 50, p95: 95, p99: 99 })
    expect(made.gaps).toEqual({ p50: 5, p95: 5, p99: 5 })
  })

  it('come from a llama-server with 8 slots, continuous batching and its prompt cache', async () => {
    const folder = tempFolder()
    const program = path.join(folder, 'llama-server')
    const log = path.join(folder, 'log')
    writeFileSync(program, FAKE(log), { mode: 0o755 })
    const server = await llamaServer(`${program} -fa on`, { model: 'a.gguf', threads: 2, parallel: 8 })
    try {
      const { pieces, tokens, promptTokens } = await overHttp(server.url)({ prompt: 'Once', tokens: 2 })
      expect(pieces).toHaveLength(2)
      expect((pieces[1] ?? 0) - (pieces[0] ?? 0)).toBeGreaterThan(10)
      expect({ tokens, promptTokens }).toEqual({ tokens: 2, promptTokens: 7 })
      await expect(overHttp(server.url)({ prompt: 'refuse', tokens: 2 })).rejects.toThrow(/answered 503: busy/)
    } finally {
      await server.close()
    }
    const [args, body] = lines(readFileSync(log, 'utf8')).map(line => JSON.parse(line))
    const [, port] = /:(\d+)$/.exec(server.url) ?? []
    expect(args).toEqual(
      ['-m', 'a.gguf', '--host', '127.0.0.1', '--port', port, '-t', '2', '-tb', '2', '--parallel', '8'].concat([
        ...['-c', '40960', '--cont-batching', '--cache-prompt', '-fa', 'on'],
      ]),
    )
    expect(body).toMatchObject({ prompt: 'Once', max_tokens: 2, temperature: 0, ignore_eos: true, stream: true })
  })
})

/** Writes down its arguments and what it is asked; streams two pieces, with time between them. */
const FAKE = (log: string) => `#!${process.execPath}
const { appendFileSync } = require('node:fs')
const note = value => appendFileSync(${JSON.stringify(log)}, JSON.stringify(value) + '\\n')
const args = process.argv.slice(2)
note(args)
require('node:http').createServer((request, response) => {
  if (request.url === '/health') return response.end('{}')
  let text = ''
  request.on('data', part => { text += part })
  request.on('end', () => {
    const body = JSON.parse(text)
    note(body)
    if (body.prompt === 'refuse') return response.writeHead(503).end('busy')
    const send = chunk => response.write('data: ' + JSON.stringify(chunk) + '\\n\\n')
    send({ choices: [{ text: '' }] })
    send({ choices: [{ text: 'a' }] })
    setTimeout(() => {
      send({ choices: [{ text: 'b' }] })
      send({ choices: [], usage: { prompt_tokens: 7, completion_tokens: 2 } })
      response.end('data: [DONE]\\n\\n')
    }, 300)
  })
}).listen(Number(args[args.indexOf('--port') + 1]), '127.0.0.1')
`
