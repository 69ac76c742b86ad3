import { describe, expect, it } from 'vitest'
import { Outbox } from '../../src/engine/outbox.ts'
import type { FromHost } from '../../src/engine/protocol.ts'

describe('Outbox', () => {
  it('sends the first chunk at once, those that follow together', () => {
    const sent: FromHost[] = []
    let clock = 0
    const outbox = new Outbox(
      message => sent.push(message),
      () => clock,
    )
    outbox.add(1, 'a', 10)
    outbox.flushIfDue()
    expect(sent).toHaveLength(1)
    for (let i = 0; i < 10; i++) {
      clock++
      outbox.add(1, 'b', i)
      outbox.add(2, 'c', i)
      outbox.flushIfDue()
    }
    expect(sent).toHaveLength(1)
    clock += 20
    outbox.flushIfDue()
    expect(sent).toHaveLength(2)
    expect(sent[1]).toMatchObject({
      type: 'chunks',
      of: [
        { id: 1, texts: Array(10).fill('b'), tokenIds: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] },
        { id: 2, texts: Array(10).fill('c') },
      ],
    })
    outbox.flush()
    expect(sent).toHaveLength(2)
  })
})
