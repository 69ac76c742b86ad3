import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { latentkit, lines, MAIN, start, TALES } from './run.ts'

interface Expected {
  readonly prompts: readonly { readonly text: string; readonly greedy_text: string }[]
}

const EXPECTED: Expected = JSON.parse(readFileSync(`${TALES}/expected.json`, 'utf8'))
const [FIRST] = EXPECTED.prompts
const GREEDY = ['--temperature', '0', '--cache-type', 'f32', '--max-tokens', '128']

describe('the answer', () => {
  it.each(['expanded', 'absorbed'])('is the text of the independent implementation: %s', async path => {
    const { code, stdout } = await latentkit(['generate', TALES, FIRST!.text, ...GREEDY, '--path', path])
    expect(stdout).toBe(`${FIRST!.greedy_text}\n`)
    expect(code).toBe(0)
  })

  it('is alone on stdout; numbers are on stderr, and --quiet leaves them out', async () => {
    const args = ['generate', 'The fox', '--max-tokens', '5', '--seed', '3']
    const loud = await latentkit(args)
    const quiet = await latentkit([...args, '--quiet'])
    expect(loud.stdout).toBe(quiet.stdout)
    expect(lines(loud.stderr).at(-1)).toMatch(
      /tales-mla-8m · 5 tokens · .* tok\/s · first token .* · cache .* · seed 3$/,
    )
    expect(quiet.stderr).toBe('')
  })

  it('is a story that begins with its beginning when nothing was asked for', async () => {
    const { code, stdout, stderr } = await latentkit(['generate', '--max-tokens', '12'])
    expect(stdout).toMatch(/^Once upon a time\S* \w+/)
    expect(stderr).toMatch(/seed \d+/)
    expect(code).toBe(0)
  })

  it('follows the seed, and differs with another', async () => {
    const tell = async (seed: string, ...more: string[]) =>
      (await latentkit(['generate', 'Once', '--seed', seed, '--max-tokens', '40', '--temperature', '1', ...more]))
        .stdout
    const first = await tell('7')
    expect(await tell('7')).toBe(first)
    expect(await tell('7', '--threads', '1')).toBe(first)
    expect(await tell('7', '--chunk', '1')).toBe(first)
    expect(await tell('8')).not.toBe(first)
  })

  it('is several texts with --n, each as its seed writes it alone, and the likeliest with --best-of', async () => {
    const args = ['generate', 'Once', '--max-tokens', '30', '--temperature', '1', '--quiet', '--no-echo']
    const alone = await Promise.all(['7', '8', '9'].map(seed => latentkit([...args, '--seed', seed])))
    const { code, stdout } = await latentkit([...args, '--seed', '7', '--n', '3'])
    expect(stdout).toBe(alone.map((text, i) => `[${i + 1} of 3]\n${text.stdout}`).join('\n'))
    expect(code).toBe(0)
    const { texts } = JSON.parse((await latentkit([...args, '--seed', '7', '--n', '3', '--json'])).stdout)
    expect(texts.map((text: { text: string }) => `${text.text}\n`)).toEqual(alone.map(text => text.stdout))
    expect(texts.map((text: { seed: number }) => text.seed)).toEqual([7, 8, 9])
    const best = await latentkit([...args, '--seed', '7', '--best-of', '3'])
    expect(alone.map(text => text.stdout)).toContain(best.stdout)
  })

  it('is what a beam search found with --beams', async () => {
    const args = ['generate', 'Once', '--max-tokens', '12', '--quiet', '--no-echo', '--beams', '3']
    const { text, beams } = JSON.parse((await latentkit([...args, '--json'])).stdout)
    expect((await latentkit(args)).stdout).toBe(`${text}\n`)
    expect(beams).toHaveLength(3)
    expect(beams[0].text).toBe(text)
    const short = JSON.parse((await latentkit([...args, '--length-penalty', '0', '--json'])).stdout)
    expect(short.beams[0].score).toBeCloseTo(short.beams[0].logprob, 10)
  })

  it('is the same when guessed ahead, and the statistics say how many guesses held', async () => {
    const args = ['generate', 'La la la, sang the bird. La la la,', '--temperature', '0', '--max-tokens', '60']
    const plain = await latentkit([...args, '--no-echo', '--speculate', 'off'])
    const guessed = await latentkit([...args, '--no-echo', '--speculate', 'ngram'])
    const drafted = await latentkit([...args, '--no-echo', '--draft', TALES])
    expect(plain.stderr).not.toMatch(/guesses/)
    for (const { stdout, stderr } of [guessed, drafted]) {
      expect(stdout).toBe(plain.stdout)
      expect(stderr).toMatch(/ · \d+ of \d+ guesses held(, [\d.]+x as fast)? · /)
    }
  })

  it('ends before a stop sequence', async () => {
    const words = (FIRST!.greedy_text.split('\n')[0] as string).split(' ').slice(-4).join(' ')
    const { stdout } = await latentkit(['generate', FIRST!.text, ...GREEDY, '--stop', '\\n', '--stop', words])
    expect(stdout).toBe(`${FIRST!.greedy_text.split(words)[0]}\n`)
  })

  it('ends when the context is full, and says so', async () => {
    const { code, stderr } = await latentkit(['generate', 'A', '--context', '32', '--ignore-eos'])
    expect(stderr).toContain('the context of 32 tokens is full')
    expect(code).toBe(0)
  })

  it('a prompt that does not fit is an error', async () => {
    const { code, stderr } = await latentkit(['generate', 'one two three four five six', '--context', '4'])
    expect(stderr).toMatch(/context is 4/)
    expect(code).toBe(1)
  })
})

describe('the prompt', () => {
  const continued = FIRST!.greedy_text.slice(0, 20)
  const short = [...GREEDY.slice(0, 4), '--max-tokens', '10']

  it.each([
    ['from a pipe', ['generate', TALES]],
    ['from a pipe, for the default model', ['generate']],
    ['for -', ['generate', '-']],
    ['for - behind a model', ['generate', TALES, '-']],
  ])('%s', async (_, args) => {
    const { stdout } = await latentkit([...args, ...short], { input: `${FIRST!.text}\n` })
    expect(stdout.startsWith(continued)).toBe(true)
  })

  it('an argument beats the pipe', async () => {
    const { stdout } = await latentkit(['generate', FIRST!.text, ...short], { input: 'Something else' })
    expect(stdout.startsWith(continued)).toBe(true)
  })

  it('is repeated with --echo', async () => {
    const { stdout } = await latentkit(['generate', FIRST!.text, ...short, '--echo'])
    expect(stdout.startsWith(FIRST!.text + continued)).toBe(true)
  })

  it('a pipe that nobody writes to is not waited for', async () => {
    const child = start(['generate', '--max-tokens', '3', '--quiet'], { stdio: ['pipe', 'pipe', 'inherit'] })
    const code = await new Promise(resolve => child.on('close', resolve))
    expect(code).toBe(0)
  })
})

describe('for machines', () => {
  it('--json is one object', async () => {
    const { stdout, stderr } = await latentkit(['generate', FIRST!.text, ...GREEDY, '--speculate', 'off', '--json'])
    const answer = JSON.parse(stdout)
    expect(answer).toMatchObject({
      model: 'tales-mla-8m',
      modelType: 'deepseek_v3',
      prompt: FIRST!.text,
      text: FIRST!.greedy_text,
      finishReason: 'length',
      usage: { promptTokens: 14, cachedTokens: 0, completionTokens: 128, draftTokens: 0, acceptedTokens: 0 },
    })
    expect(answer.tokenIds).toHaveLength(128)
    expect(answer.timings.firstTokenMs).toBeGreaterThan(0)
    // 8 layers of 144 numbers of 4 bytes.
    expect(answer.cache.usedBytes).toBe(answer.cache.tokens * 8 * 144 * 4)
    expect(stderr).toBe('')
  })

  it('a closed pipe ends the program without a word', () => {
    const script = `"${process.execPath}" "${MAIN}" generate --ignore-eos --max-tokens 400 | head -c 20`
    const { stdout, stderr, status } = spawnSync('bash', ['-c', `set -o pipefail; ${script}`], { encoding: 'utf8' })
    expect(stdout).toHaveLength(20)
    expect(stderr).not.toMatch(/EPIPE|error|at /)
    expect(status).toBe(0)
  })

  it('SIGINT ends it with 130', async () => {
    const child = start(['generate', '--ignore-eos', '--max-tokens', '2000'], { stdio: ['ignore', 'pipe', 'pipe'] })
    let stderr = ''
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      stderr += text
    })
    child.stdout?.once('data', () => child.kill('SIGINT'))
    const code = await new Promise(resolve => child.on('close', resolve))
    expect(code).toBe(130)
    expect(stderr).toMatch(/^stopped · /m)
    expect(stderr).not.toContain('error')
  })
})

describe('colours', () => {
  const args = ['generate', '--max-tokens', '3']
  const ESC = '\u001b['

  it('none in pipes', async () => {
    const { stdout, stderr } = await latentkit(args)
    expect(stdout + stderr).not.toContain(ESC)
  })

  it('FORCE_COLOR wants them, NO_COLOR does not', async () => {
    const forced = await latentkit(args, { env: { FORCE_COLOR: '1' } })
    expect(forced.stdout).toContain(ESC)
    expect(forced.stderr).toContain(ESC)
    const none = await latentkit(args, { env: { FORCE_COLOR: '1', NO_COLOR: '1' } })
    expect(none.stdout + none.stderr).not.toContain(ESC)
  })
})

describe('kernels', () => {
  const args = ['generate', FIRST!.text, '--temperature', '0', '--cache-type', 'f32', '--max-tokens', '6', '--json']

  it('the reference kernels tell the same', async () => {
    const { stdout } = await latentkit([...args, '--kernels', 'reference'])
    const answer = JSON.parse(stdout)
    expect(answer.kernels.name).toBe('reference')
    expect(FIRST!.greedy_text.startsWith(answer.text)).toBe(true)
  })

  it('flags beat the environment', async () => {
    const env = { LATENTKIT_KERNELS: 'reference', LATENTKIT_CONTEXT: '2' }
    expect((await latentkit(args, { env })).stderr).toMatch(/context is 2/)
    const { stdout } = await latentkit([...args, '--context', '1K'], { env })
    expect(JSON.parse(stdout).kernels.name).toBe('reference')
  })
})
