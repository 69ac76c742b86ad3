/** What keeps a view from showing something: a model that loads, a text that is too long. */
import type { ComponentChildren } from 'preact'
import { useEffect, useErrorBoundary } from 'preact/hooks'
import type { Numbers, TextReading } from '../numbers/numbers.ts'
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
  if (reading !== undefined) return <Shown of={reading}>{children}</Shown>
  if (model.status === 'failed' || model.status === 'missing') return null
  return <Waiting />
}

/** The same for a view that asks the model itself. */
export function WithNumbers({
  slot = 'main',
  children,
}: {
  slot?: Slot
  children: (numbers: Numbers) => ComponentChildren
}) {
  const model = useModel(slot)
  if (model.status === 'ready') return <Shown of={model.numbers}>{children}</Shown>
  return model.status === 'failed' || model.status === 'missing' ? null : <Waiting />
}

function Waiting() {
  return <p class="hint waiting">The model is read from disk; it takes a second or two.</p>
}

/** The view, or what one of its questions was refused with, until another text or address. */
function Shown<T>({ of, children }: { of: T; children: (of: T) => ComponentChildren }) {
  const { params } = useAddress()
  const [problem, reset] = useErrorBoundary()
  useEffect(reset, [of, params])
  return problem === undefined ? children(of) : <Problem text={(problem as Error).message} />
}

export function Problem({ text }: { text: string }) {
  return (
    <p class="problem" role="alert">
      {text}
    </p>
  )
}
