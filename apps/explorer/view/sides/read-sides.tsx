/** The same for views of texts that were read. */
import type { ComponentChildren } from 'preact'
import type { TextReading } from '../../numbers/numbers.ts'
import { type ReadState, useReading } from '../../state/use-reading.ts'
import { WithReading } from '../read-status.tsx'
import type { Side } from './side.ts'
import { Sides } from './sides.tsx'

interface Props {
  text: string
  /** The view of one text by one model. */
  children: (reading: TextReading, side: Side, read: ReadState) => ComponentChildren
  /** What is said of both, when they are there. */
  both?: (first: TextReading, second: TextReading) => ComponentChildren
}

export function ReadSides({ text, children, both }: Props) {
  return (
    <Sides
      text={text}
      both={
        both &&
        ((first, second) => (
          <Both first={first} second={second}>
            {both}
          </Both>
        ))
      }
    >
      {side => <One side={side}>{children}</One>}
    </Sides>
  )
}

function One({ side, children }: { side: Side; children: Props['children'] }) {
  const read = useReading(side.text, [], side.slot)
  return (
    <WithReading read={read} slot={side.slot}>
      {reading => children(reading, side, read)}
    </WithReading>
  )
}

interface BothProps {
  first: Side
  second: Side
  children: (first: TextReading, second: TextReading) => ComponentChildren
}

function Both({ first, second, children }: BothProps) {
  const a = useReading(first.text, [], first.slot)
  const b = useReading(second.text, [], second.slot)
  if (a.busy || b.busy || a.reading === undefined || b.reading === undefined) return null
  const other = b.reading
  return <WithReading read={a}>{reading => children(reading, other)}</WithReading>
}
