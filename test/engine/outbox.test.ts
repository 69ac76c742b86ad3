import { describe, expect, it } from 'vitest'
import type { FromHost } from '../../src/engine/types/protocol.ts'
import { Outbox } from '../../src/engine/wire/outbox.ts'

describe('Outbox', () => {
  it('sends the first chunk at once, those that follow together', () => {
    const sent: FromHost[] = []
    let clock = 0
    const outbox = new Outbox(
      message => sent.push(message),
      () => clock,
    )
    outbox.add(1, { text: 'a', tokenId: 10 })
    outbox.flushIfDue()
    expect(sent).toHaveLength(1)
    for (let i = 0; i < 10; i++) {
      clock++
      outbox.add(1, { text: 'b', tokenId: i })
      outbox.add(2, { text: 'c', tokenId: i })
      outbox.flushIfDue()
    }
    expect(sent).toHaveLength(1)
    clock += 20
    outbox.flushIfDue()
    expect(sent).toHaveLength(2)
    expect(sent[1]).toMatchObject({
      type: 'chunks',
      batches: [
        { id: 1, chunks: Array.from({ length: 10 }, (_, i) => ({ text: 'b', tokenId: i })) },
        { id: 2, chunks: Array.from({ length: 10 }, (_, i) => ({ text: 'c', tokenId: i })) },
      ],
    })
    outbox.flush()
    expect(sent).toHaveLength(2)
  })
})
