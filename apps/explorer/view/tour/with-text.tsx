/** The text of a step, with the reading of which it speaks. */
import type { ComponentType } from 'preact'
import type { TextReading } from '../../numbers/numbers.ts'
import { useReading } from '../../state/use-reading.ts'
import { WithReading } from '../read-status.tsx'

export function withText(text: string, Body: ComponentType<{ reading: TextReading }>): ComponentType {
  return () => {
    const read = useReading(text)
    return <WithReading read={read}>{reading => <Body reading={reading} />}</WithReading>
  }
}
