import { describe, expect, it } from 'vitest'
import { GAP_MS, Pace } from '../../src/engine/loop/pace.ts'
import type { Sequence } from '../../src/engine/loop/sequence.ts'
import { type LoopOptions, StepLoop } from '../../src/engine/loop/step-loop.ts'
import { PATH_GRID } from '../../src/nn/attention/path.ts'

describe('how much of a prompt a step reads beside texts', () => {
  it('is a cell until it is known how long one takes, and never less', () => {
    const pace = new Pace()
    expect(pace.tokensBesideTexts()).toBe(PATH_GRID)
    pace.learn(PATH_GRID, 100 * GAP_MS)
    expect(pace.tokensBesideTexts()).toBe(PATH_GRID)
  })

  it('is as many whole cells as take no longer than a gap may be', () => {
    const pace = new Pace()
    pace.learn(512, (512 * GAP_MS) / (2.5 * PATH_GRID))
    expect(pace.tokensBesideTexts()).toBe(2 * PATH_GRID)
  })

  it('forgets slow steps for a fast one, fast ones after some slow ones, and learns nothing of short ones', () => {
    const pace = new Pace()
    const cell = (cells: number) => pace.learn(PATH_GRID, GAP_MS / cells)
    cell(1)
    cell(4)
    expect(pace.tokensBesideTexts()).toBe(4 * PATH_GRID)
    pace.learn(8, 0.001)
    for (let i = 0; i < 3; i++) cell(2)
    expect(pace.tokensBesideTexts()).toBe(4 * PATH_GRID)
    cell(2)
    expect(pace.tokensBesideTexts()).toBe(2 * PATH_GRID)
  })

  it('is limited beside a text that waits for its mask, too', async () => {
    const tokensOfStep = async (...demands: { readonly promptLeft: number; readonly pending: number }[]) => {
      const granted: number[] = []
      const options = { chunkSize: 512, aloneSize: 2048, outbox: { flush() {}, flushIfDue() {} }, now: () => 0 }
      const loop = new StepLoop(options as unknown as LoopOptions)
      for (const demand of demands) {
        loop.add({
          demand: { ...demand, position: 0, draftTokens: 0, priority: 0, stepsWaited: 0 },
          prepare: () => null,
          arriving: () => null,
          part: (count: number) => {
            granted.push(count)
            return null
          },
          passedOver() {},
          retired: () => granted.length > 0,
        } as unknown as Sequence)
      }
      await loop.idle()
      return granted
    }
    const prompt = { promptLeft: 5000, pending: 0 }
    expect(await tokensOfStep(prompt)).toEqual([2048])
    expect(await tokensOfStep({ promptLeft: 0, pending: 1 }, prompt)).toEqual([1, PATH_GRID])
    expect(await tokensOfStep({ promptLeft: 0, pending: 0 }, prompt)).toEqual([PATH_GRID])
  })
})
