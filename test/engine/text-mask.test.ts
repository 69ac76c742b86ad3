/** A text's masks, from a thread that is played: which drafts are checked, when a mask counts as never coming, what is given up. */
import { afterEach, expect, it, vi } from 'vitest'
import { CallMask } from '../../src/engine/loop/call-mask.ts'
import { CallStart } from '../../src/engine/loop/call-start.ts'
import { Patience } from '../../src/engine/loop/patience.ts'
import { TextMask } from '../../src/engine/loop/text-mask.ts'
import type { MaskedText, Masks } from '../../src/grammar/thread/masked-text.ts'

afterEach(() => void vi.restoreAllMocks())

interface State {
  waitsForCompilation: boolean
  waitsForOthers?: boolean
  worked: number
}

/** Opened, with `masks` as the answer to each request; null: it never comes. */
async function opened(masks: Masks | null, state: State = { waitsForCompilation: false, worked: 0 }) {
  const requests: unknown[] = []
  const text = {
    isShared: true,
    get waitsForCompilation() {
      return state.waitsForCompilation
    },
    get waitsForOthers() {
      return state.waitsForOthers === true
    },
    work: () => {
      const before = state.worked
      return { look: () => state.worked - before }
    },
    request: (request: unknown) => void requests.push(request),
    poll: () => masks,
    wait: () => masks,
    close: () => {},
  } as unknown as MaskedText
  const stuck = vi.fn()
  const mask = new TextMask({
    opening: Promise.resolve(text),
    reasoning: null,
    ends: new Set(),
    patience: new Patience(true, () => performance.now()),
    left: () => Number.POSITIVE_INFINITY,
    refused: () => {},
    stuck,
  })
  await Promise.resolve()
  return { mask, requests, stuck }
}

const masksFor = (drafts: number): Masks => {
  return { count: 1 + drafts, rows: [], accepting: () => false, stopped: () => false, draft: () => -1 }
}

it.each([0, 1, 2])('of a draft of three ids the first %i are checked, which the grammar allows', async allowed => {
  const { mask, requests } = await opened(masksFor(allowed))
  expect(await mask.allowed([7, 8, 9])).toEqual([7, 8, 9].slice(0, allowed))
  expect(requests.at(-1)).toEqual({ ids: [], drafts: [7, 8, 9] })
})

it('what was foreseen needs no request, as long as it is what is drawn', async () => {
  const rows = [0, 1, 2].map(() => Uint32Array.of(0))
  const masks = { count: 3, rows, accepting: () => false, stopped: () => false, draft: (row: number) => 40 + row }
  const { mask, requests } = await opened(masks)
  expect(mask.ready()).toBe(true)
  expect(mask.foreseen).toEqual([])
  const asked = requests.length
  mask.accept(40)
  mask.advance()
  expect(requests.length).toBe(asked)
  expect(mask.foreseen).toEqual([41])
  mask.accept(7)
  mask.advance()
  expect(requests.slice(asked)).toEqual([{ ids: [40, 7], ahead: expect.any(Number) }])
})

it('of a draft whose masks take long nothing is checked', async () => {
  const { mask } = await opened(null)
  expect(await mask.allowed([7, 8])).toEqual([])
})

it('of a draft whose masks are sent as messages, what the grammar allows is checked', async () => {
  let sent: Masks | null = null
  const arriving = async () => {
    await new Promise(resolve => setImmediate(resolve))
    sent = masksFor(1)
    return sent
  }
  const text = { isShared: false, poll: () => sent, wait: () => sent, next: arriving } as unknown as MaskedText
  const masks = await new Patience(true, () => performance.now()).soon(text)
  expect(masks?.count).toBe(2)
})

it('a mask that has not come after 10 s of work ends the text, and is reported', async () => {
  const state = { waitsForCompilation: false, worked: 1000 }
  const { mask, stuck } = await opened(null, state)
  expect(mask.ready()).toBe(false)
  state.worked = 10_999
  expect(mask.ready()).toBe(false)
  expect(stuck).not.toHaveBeenCalled()
  state.worked = 11_000
  expect(() => mask.ready()).toThrow(/takes longer than 10 s; use a smaller grammar/)
  expect(stuck).toHaveBeenCalledOnce()
  // It stays ended.
  expect(() => mask.ready()).toThrow(/takes longer than 10 s/)
})

it('a mask whose thread waits for a processor is not late, but after two minutes it is', async () => {
  const { mask, stuck } = await opened(null)
  const now = vi.spyOn(performance, 'now')
  now.mockReturnValue(1000)
  expect(mask.ready()).toBe(false)
  now.mockReturnValue(120_999)
  expect(mask.ready()).toBe(false)
  expect(stuck).not.toHaveBeenCalled()
  now.mockReturnValue(121_000)
  expect(() => mask.ready()).toThrow(/takes longer than 10 s/)
})

it('a mask whose thread works on that of another text is not late, but after two minutes it is', async () => {
  const state = { waitsForCompilation: false, waitsForOthers: true, worked: 0 }
  const { mask, stuck } = await opened(null, state)
  const now = vi.spyOn(performance, 'now')
  now.mockReturnValue(1000)
  expect(mask.ready()).toBe(false)
  state.worked = 60_000
  expect(mask.ready()).toBe(false)
  // Its turn has come.
  state.waitsForOthers = false
  expect(mask.ready()).toBe(false)
  state.worked = 69_999
  expect(mask.ready()).toBe(false)
  expect(stuck).not.toHaveBeenCalled()
  state.waitsForOthers = true
  now.mockReturnValue(120_999)
  expect(mask.ready()).toBe(false)
  now.mockReturnValue(121_000)
  expect(() => mask.ready()).toThrow(/takes longer than 10 s/)
})

it('a mask that waits for the compilation of another grammar is not late', async () => {
  const state = { waitsForCompilation: false, worked: 0 }
  const { mask, stuck } = await opened(null, state)
  expect(mask.ready()).toBe(false)
  state.waitsForCompilation = true
  state.worked = 60_000
  expect(mask.ready()).toBe(false)
  state.waitsForCompilation = false
  state.worked = 69_000
  expect(mask.ready()).toBe(false)
  expect(stuck).not.toHaveBeenCalled()
  state.worked = 79_000
  expect(() => mask.ready()).toThrow(/takes longer than 10 s/)
})

it('what only looks like a call gives up what held it, and stays free', async () => {
  const closed: string[] = []
  const refusing = {
    request: () => {},
    poll: () => {
      throw new Error('The grammar does not allow the id 7')
    },
    close: () => void closed.push('copy'),
  } as unknown as MaskedText
  const text = { fork: () => refusing, close: () => void closed.push('text') } as unknown as MaskedText
  const mask = new CallMask({
    opening: Promise.resolve(text),
    start: CallStart.of({ texts: ['<c>'], leads: null }, () => new TextEncoder().encode('<c>')),
    reasoning: null,
    ends: new Set(),
    patience: new Patience(true, () => performance.now()),
    left: () => Number.POSITIVE_INFINITY,
    stuck: () => {},
  })
  mask.accept(7)
  await new Promise(resolve => setImmediate(resolve))
  expect(mask.ready()).toBe(true)
  expect(closed).toEqual(['copy'])
  mask.accept(8)
  expect(mask.ended).toBe(false)
})
