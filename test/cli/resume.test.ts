/** Chats of yesterday, as their owners have them. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { tempFolder } from '../support/temp-folder.ts'
import { latentkit, lines, type Result, start, TALES } from './run.ts'
import { HAS_TERMINAL, KEY, onTerminal } from './terminal.ts'

const TEMPLATE =
  '{% for m in messages %}[{{ m.role }}] {{ m.content }}\n{% endfor %}{% if add_generation_prompt %}[assistant]{% endif %}'
const GREEDY = ['--max-tokens', '40', '--temperature', '0', '--json']
const STORY = 'Once upon a time, there was a little girl named Lily. She lived in a house in the wood. '
  .repeat(4)
  .trim()

interface Answer {
  readonly text: string
  readonly usage: { readonly promptTokens: number; readonly cachedTokens: number }
}

/** A machine of its own: nothing is kept yet. */
function machine() {
  const env = { LATENTKIT_STATE_DIR: tempFolder(), LATENTKIT_CACHE_DIR: tempFolder() }
  const folder = join(env.LATENTKIT_STATE_DIR, 'chats')
  const run = (args: readonly string[], input = '') => latentkit(args, { env, input })
  const chat = async (input: string, ...args: string[]): Promise<Result & { readonly answers: readonly Answer[] }> => {
    const result = await run(['chat', ...GREEDY, ...args], input)
    return { ...result, answers: lines(result.stdout).map(line => JSON.parse(line)) }
  }
  const names = async () => {
    const { chats } = JSON.parse((await run(['chats', 'ls', '--json'])).stdout)
    return chats.map(({ name }: { name: string }) => name) as string[]
  }
  return { env, folder, run, chat, names }
}

describe('a chat that is kept', { timeout: 180_000 }, () => {
  it('goes on in another process as if it had not ended, and at once', async () => {
    const { chat, names } = machine()
    const whole = await chat(`${STORY}\nThe fox\nThen\n`)
    expect(await names()).toEqual([])
    const first = await chat(`${STORY}\nThe fox\n`, '--name', 'fox')
    expect(first.answers.map(a => a.text)).toEqual(whole.answers.slice(0, 2).map(a => a.text))
    const second = await chat('Then\n', '--resume')
    expect(second.stderr).toMatch(/^going on with fox: 4 messages$/m)
    expect(second.answers[0]?.text).toBe(whole.answers[2]?.text)
    const { promptTokens, cachedTokens } = (second.answers[0] as Answer).usage
    expect(promptTokens).toBe(whole.answers[2]?.usage.promptTokens)
    // All but the last block of 64.
    expect(cachedTokens).toBe(64 * Math.floor((promptTokens - 3) / 64))
    const third = await chat('/history\n', '--resume', 'fox')
    expect(third.stderr.match(/^user: .*$/gm)).toEqual([`user: ${STORY}`, 'user: The fox', 'user: Then'])
    expect(await names()).toEqual(['fox'])
  })

  it('forgets what was taken back, and is gone when all of it was', async () => {
    const { chat, names } = machine()
    await chat('Hello\nThe fox\n/undo\n', '--name', 'a')
    const { stderr } = await chat('/history\n', '--resume', 'a')
    expect(stderr.match(/^user: .*$/gm)).toEqual(['user: Hello'])
    await chat('/undo\n', '--resume', 'a')
    expect(await names()).toEqual([])
    await chat('A secret\n/undo\nThe wolf\n', '--name', 'b')
    expect(await names()).toEqual(['b'])
    expect((await chat('/history\n', '--resume', 'b')).stderr.match(/^user: .*$/gm)).toEqual(['user: The wolf'])
  })

  it('keeps its system message, and answers of a template', async () => {
    const { chat } = machine()
    const template = ['--template', join(tempFolder({ 'a.jinja': TEMPLATE }), 'a.jinja')]
    await chat('Hello\n', '--name', 'a', '--system', 'Be brief.', ...template)
    const { stderr, answers } = await chat('And now?\n/history\n', '--resume', 'a', ...template)
    expect(stderr).toMatch(
      /^system: Be brief\.\n\nuser: Hello\n\nassistant: [\s\S]*\n\nuser: And now\?\n\nassistant: /m,
    )
    expect(answers).toHaveLength(1)
    expect((await chat('/history\n', '--resume', 'a', '--system', 'Be long.', ...template)).stderr).toMatch(
      /system: Be long\./,
    )
  })

  it('is the last of its model, or the one of a name', async () => {
    const { chat, names, run, folder } = machine()
    const other = join(tempFolder(), 'copy')
    mkdirSync(other)
    for (const file of readdirSync(TALES)) writeFileSync(join(other, file), readFileSync(join(TALES, file)))
    await chat('One\n', '--name', 'one')
    await run(['chat', other, ...GREEDY, '--name', 'two'], 'Two\n')
    await chat('Three\n', '--name', 'three')
    await chat('Four\n', '--resume', 'one')
    expect(await names()).toEqual(['one', 'three', 'two'])
    expect(readdirSync(folder).sort()).toEqual(['copy', 'tales-mla-8m'])
    expect((await run(['chat', other, '--resume'], '')).stderr).toMatch(/going on with two/)
    // Nobody names the model: the chat knows it.
    const { stderr } = await run(['chat', '--resume', 'two', '--max-tokens', '4'], 'Two\n/stats\n')
    expect(stderr).toMatch(/copy · \d+ tokens · /)
    expect((await run(['chat', TALES, '--resume'], '')).stderr).toMatch(/going on with one/)
    expect((await run(['chat', '--resume', other], '')).stderr).toMatch(/going on with two/)
  })

  it('is listed, renamed and removed; a wrong name is told', async () => {
    const { chat, names, run } = machine()
    expect((await run(['chats', 'ls'])).stdout).toMatch(/^No chat is kept in /)
    expect(await run(['chat', '--resume'])).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/no chat is kept in/),
    })
    await chat('One\n/name old-king\n/name ../x\nTwo\n', '--name', 'one')
    expect(await names()).toEqual(['old-king'])
    expect((await run(['chats', 'ls'])).stdout).toMatch(
      /^name +model +messages +tokens +last used +begins\nold-king +tales-mla-8m +4 +\d+ +\d{4}-\d\d-\d\d \d\d:\d\d +One\n$/,
    )
    expect(await run(['chat', '--resume', 'old-kin'])).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/there is no chat "old-kin"; did you mean old-king\?/),
    })
    expect((await chat('One\n', '--name', 'old-king')).stderr).toMatch(/there is a chat old-king already/)
    expect((await run(['chats', 'rm', 'none'])).code).toBe(2)
    expect((await run(['chats', 'rm', 'old-king'])).stdout).toBe('Removed 1 chat\n')
    expect(await names()).toEqual([])
  })

  it('is left alone with --no-save, and by /reset', async () => {
    const { chat, names } = machine()
    await chat('One\n', '--name', 'one', '--no-save')
    expect(await names()).toEqual([])
    await chat('One\n', '--name', 'one')
    await chat('Two\n', '--resume', 'one', '--no-save')
    expect((await chat('/history\n', '--resume', 'one')).stderr).not.toMatch(/user: Two/)
    await chat('/reset\nThree\n', '--resume', 'one')
    expect(await names()).toEqual([expect.stringMatching(/^\d{4}-\d\d-\d\d-\d{6}$/), 'one'])
    expect((await chat('/history\n', '--resume', 'one')).stderr).toMatch(/user: One\n\nassistant: /)
  })

  it('is told and left out when it is damaged', async () => {
    const { chat, names, run, folder } = machine()
    await chat('One\n', '--name', 'one')
    await chat('Two\n', '--name', 'two')
    const file = join(folder, 'tales-mla-8m', 'two.chat')
    writeFileSync(file, readFileSync(file).subarray(0, -5))
    expect(await names()).toEqual(['one'])
    const { stderr } = await run(['chat', '--resume'], '')
    expect(stderr).toMatch(/chat left out: .*two\.chat is no session, or a damaged one/)
    expect(stderr).toMatch(/going on with one/)
  })

  it('has the question when the program was killed at the answer', async () => {
    const { env, chat, names } = machine()
    const args = ['chat', '--max-tokens', '1500', '--ignore-eos', '--name', 'killed']
    const child = start(args, { env, stdio: ['pipe', 'pipe', 'ignore'] })
    child.stdin?.write(`${STORY}\n`)
    await new Promise(resolve => child.stdout?.once('data', resolve))
    child.kill('SIGKILL')
    await new Promise(resolve => child.once('close', resolve))
    expect(await names()).toEqual(['killed'])
    const { stderr, answers } = await chat('/retry\n/history\n', '--resume')
    expect(stderr).toMatch(/^the last message was not answered; \/retry does$/m)
    expect(answers).toHaveLength(1)
    expect(stderr).toMatch(/^user: Once upon a time.*\n\nassistant: /m)
    const again = await chat('Then\n/history\n', '--resume')
    expect(again.stderr.match(/^(user|assistant)/gm)).toEqual(['user', 'assistant', 'user', 'assistant'])
  })

  it('has two names when two programs go on with it', async () => {
    const { env, chat, names } = machine()
    await chat('One\n', '--name', 'one')
    const child = start(['chat', ...GREEDY, '--resume', 'one'], { env, stdio: ['pipe', 'pipe', 'pipe'] })
    let said = ''
    const answered = new Promise(resolve => child.stdout?.once('data', resolve))
    child.stderr?.on('data', (data: Buffer) => {
      said += data.toString()
    })
    child.stdin?.write('Two\n')
    await answered
    await chat('Three\n', '--resume', 'one')
    child.stdin?.end('Four\n')
    await new Promise(resolve => child.once('close', resolve))
    expect(said).toMatch(/there is another chat one now; this one is kept as one-2/)
    expect((await names()).sort()).toEqual(['one', 'one-2'])
    const [one, two] = [await chat('/history\n', '--resume', 'one'), await chat('/history\n', '--resume', 'one-2')]
    expect(one.stderr.match(/^user: .*$/gm)).toEqual(['user: One', 'user: Two', 'user: Three'])
    expect(two.stderr.match(/^user: .*$/gm)).toEqual(['user: One', 'user: Two', 'user: Four'])
  })

  it('that cannot be kept is told once and goes on', async () => {
    const { env, chat } = machine()
    writeFileSync(join(env.LATENTKIT_STATE_DIR, 'chats'), 'a file')
    const { stderr, answers, code } = await chat('One\nTwo\n', '--name', 'one')
    expect(stderr.match(/this chat is not kept: .*/g)).toEqual([expect.stringMatching(/ENOTDIR|EEXIST/)])
    expect([answers.length, code]).toEqual([2, 0])
  })
})

describe.skipIf(!HAS_TERMINAL)('a chat on a terminal (needs python3)', () => {
  it('is kept by itself, and shown shortly when it goes on', async () => {
    const { env, names } = machine()
    const end: [string, string] = ['> ', KEY.end]
    onTerminal(['chat', '--max-tokens', '8'], [['> ', `Once${KEY.enter}`], end], env)
    expect(await names()).toEqual([expect.stringMatching(/^\d{4}-\d\d-\d\d-\d{6}$/)])
    const { text, left } = onTerminal(['chat', '--max-tokens', '8', '--resume'], [['assistant: ', ''], end], env)
    expect({ left, text }).toEqual({
      left: 0,
      text: expect.stringMatching(/2 messages · .*\nuser: Once\n\nassistant: /),
    })
    onTerminal(['chat', '--max-tokens', '8', '--no-save'], [['> ', `Once${KEY.enter}`], end], env)
    expect(await names()).toHaveLength(1)
  })
})

if (!HAS_TERMINAL) console.warn('SKIPPED: 1 test of kept chats on a terminal needs python3')
