/** What keeps a view from showing something: a model that loads, a text that is too long. */
import type { ComponentChildren } from 'preact'
import { useEffect, useErrorBoundary } from 'preact/hooks'
import type { TextReading } from '../numbers/numbers.ts'
import { useAddress } from '../state/address.ts'
import { type Slot, useModel } from '../state/model.ts'
import type { ReadState } from '../state/use-reading.ts'

export function WithReading({
  read: { reading, problem },
  slot = 'main',
  children,
}: {
  read: ReadState
  slot?: Slot
  children: (reading: TextReading) => ComponentChildren
}) {
  const model = useModel(slot)
  if (problem !== undefined) return <Problem text={problem} />
  if (reading !== undefined) return <Shown reading={reading}>{children}</Shown>
  if (model.status === 'failed' || model.status === 'missing') return null
  return <p class="hint waiting">The model is read from disk; it takes a second or two.</p>
}

/** The view, or what one of its questions was refused with, until another text or address. */
function Shown({ reading, children }: { reading: TextReading; children: (reading: TextReading) => ComponentChildren }) {
  const { params } = useAddress()
  const [problem, reset] = useErrorBoundary()
  useEffect(reset, [reading, params])
  return problem === undefined ? children(reading) : <Problem text={(problem as Error).message} />
}

export function Problem({ text }: { text: string }) {
  return (
    <p class="problem" role="alert">
      {text}
    </p>
  )
}
