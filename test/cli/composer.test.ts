import { describe, expect, it } from 'vitest'
import { Composer } from '../../apps/cli/chat/composer.ts'

/** All messages that the lines make, and what is left. */
function compose(...lines: string[]): { messages: string[]; rest: string | undefined } {
  const composer = new Composer()
  const messages = lines.map(line => composer.add(line)).filter(m => m !== undefined)
  return { messages, rest: composer.rest() }
}

describe('Composer', () => {
  it.each([
    ['a line is a message', ['one', 'two'], ['one', 'two']],
    ['a backslash goes on', ['one\\', 'two\\', 'three', 'four'], ['one\ntwo\nthree', 'four']],
    ['two backslashes are text', ['C:\\\\', 'next'], ['C:\\\\', 'next']],
    ['three go on', ['a\\\\\\', 'b'], ['a\\\\\nb']],
    ['a block on lines of its own', ['"""', 'one', '', 'two\\', '"""', 'x'], ['one\n\ntwo\\', 'x']],
    ['a block that begins and ends in its lines', ['"""one', 'two"""'], ['one\ntwo']],
    ['a block in one line', ['"""one"""'], ['one']],
    ['quotes inside a line are text', ['say """x"""'], ['say """x"""']],
    ['an empty line is an empty message', [''], ['']],
  ])('%s', (_, lines, messages) => {
    expect(compose(...lines)).toEqual({ messages, rest: undefined })
  })

  it('gives what was begun when the input ends', () => {
    expect(compose('one\\')).toEqual({ messages: [], rest: 'one' })
    expect(compose('"""', 'one')).toEqual({ messages: [], rest: 'one' })
  })

  it('takes pasted text as it is, behind what was begun', () => {
    const composer = new Composer()
    composer.add('before\\')
    expect(composer.addPasted('one\\\n"""\ntwo')).toBe('before\none\\\n"""\ntwo')
    expect(composer.pending).toBe(false)
  })
})
