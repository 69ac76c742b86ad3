/** What keeps a view from showing something: a model that loads, a text that is too long. */
import type { ComponentChildren } from 'preact'
import type { TextReading } from '../numbers/numbers.ts'
import { type ReadState, useModel } from '../state/model.ts'

export function WithReading({
  read: { reading, problem },
  children,
}: {
  read: ReadState
  children: (reading: TextReading) => ComponentChildren
}) {
  const model = useModel()
  if (problem !== undefined)
    return (
      <p class="problem" role="alert">
        {problem}
      </p>
    )
  if (reading !== undefined) return <>{children(reading)}</>
  if (model.status === 'failed') return null
  return <p class="hint waiting">The model is read from disk; it takes a second or two.</p>
}
