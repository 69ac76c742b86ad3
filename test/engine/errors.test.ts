import { describe, expect, it } from 'vitest'
import { fromWire, toWire } from '../../src/engine/wire/wire-errors.ts'
import * as latentkit from '../../src/index.ts'

type Made = InstanceType<typeof latentkit.LatentkitError>
const classes = Object.entries(latentkit).filter(
  ([name, value]) => name.endsWith('Error') && name !== 'LatentkitError' && typeof value === 'function',
) as unknown as [string, { new (...args: string[]): Made; readonly prototype: Made; readonly name: string }][]

describe.each(classes)('%s', (name, ErrorClass) => {
  const error = new ErrorClass('what was met', 'what was met')

  it('is an error of latentkit under its own name, with a code', () => {
    expect(error).toBeInstanceOf(latentkit.LatentkitError)
    expect(error).toMatchObject({ name, code: expect.stringMatching(/^[a-z_ ]+$/) })
    expect(ErrorClass.name).toBe(name)
    expect(error.stack).toContain(error.message)
  })

  it('crosses a thread as an instance of its class', () => {
    const here = fromWire(structuredClone(toWire(error)))
    expect(here).toBeInstanceOf(ErrorClass)
    expect(here).toMatchObject({ name, code: error.code, message: error.message })
  })

  it('says one sentence of bounded length, whatever is put into it', () => {
    const hostile = new ErrorClass(...Array<string>(2).fill(`begins ${'\u001b[2J'.repeat(500_000)} ends`))
    expect(hostile.message.length).toBeLessThan(4000)
    expect(hostile.message).not.toContain('\u001b')
    expect(hostile.stack).not.toContain('\u001b')
  })
})

it('the classes above are all of them', () => {
  expect(classes.length).toBeGreaterThanOrEqual(16)
})

describe('a message', () => {
  const messageOf = (text: string) => new latentkit.CheckpointError(text).message

  it.each([
    ['an escape sequence', 'a\u001b[31mb', 'a\\u001b[31mb'],
    ['C1 controls, which some terminals obey', 'a\u009b2Jb\u0090', 'a\\u009b2Jb\\u0090'],
    ['a return over what was written', 'bad\rgood', 'bad\\u000dgood'],
    ['a line break in a name, which would forge a line', 'tensor "x\nerror: none"', 'tensor "x\\u000aerror: none"'],
    ['separators of lines', 'a\u2028b\u0085c', 'a\\u2028b\\u0085c'],
    ['overrides of direction', 'a\u202egpj.exe\u2066\u2069', 'a\\u202egpj.exe\\u2066\\u2069'],
    ['letters that are not seen', 'a\u{e0041}\ufeff', 'a\\udb40\\udc41\\ufeff'],
    ['half a character', 'a\ud800b', 'a\\ud800b'],
  ])('shows %s by its code', (_, text, shown) => {
    expect(messageOf(text)).toBe(shown)
    // What has been made safe stays as it is.
    expect(messageOf(shown)).toBe(shown)
  })

  it('keeps what people write: all scripts, joiners, emoji', () => {
    const text = 'tensor "ä漢字 می‌خواهم 👩‍💻 \\u001b" is 5; expected 6'
    expect(messageOf(text)).toBe(text)
  })

  it('keeps its beginning and its end where the middle is too long', () => {
    const message = messageOf(`a.json: "${'k'.repeat(1 << 20)}" is 5; expected a text`)
    expect(message).toMatch(/^a\.json: "k+ … \(\d+ characters left out\) … k+" is 5; expected a text$/)
    expect(messageOf(message)).toBe(message)
  })

  it('of a template keeps its lines, and nothing else', () => {
    const { message } = new latentkit.TemplateError('one\ntwo\u001b[2J', { raised: true })
    expect(message).toBe('one\ntwo\\u001b[2J')
  })
})
