import { useEffect, useState } from 'preact/hooks'
import type { TextReading } from '../numbers/numbers.ts'
import { readingsOf, type Slot, useModel } from './model.ts'
import { nameOf, type TextChange } from './readings.ts'

export interface ReadState {
  /** The reading of the text, or of an earlier one while this is read. */
  readonly reading: TextReading | undefined
  readonly busy: boolean
  readonly problem: string | undefined
}

/** While a text is typed, it is not read. */
const TYPED_AFTER_MS = 350

/** The text as the slot's model reads it, or would with changes. */
export function useReading(text: string, changes: readonly TextChange[] = [], slot: Slot = 'main'): ReadState {
  const name = nameOf(text, changes)
  const model = useModel(slot)
  const [read, setRead] = useState<ReadState>({ reading: undefined, busy: true, problem: undefined })
  const numbers = model.status === 'ready' ? model.numbers : undefined
  useEffect(() => {
    setRead(({ reading }) => ({ reading: numbers && reading, busy: true, problem: undefined }))
    if (numbers === undefined) return
    const readings = readingsOf(slot)
    let wanted = true
    const release = readings.keep(name)
    const done = (next: ReadState) => wanted && setRead(next)
    const begin = () =>
      readings.read(numbers, name).then(
        reading => done({ reading, busy: false, problem: undefined }),
        cause => done({ reading: undefined, busy: false, problem: (cause as Error).message }),
      )
    const timer = setTimeout(begin, readings.has(name) || readings.empty ? 0 : TYPED_AFTER_MS)
    return () => {
      wanted = false
      release()
      clearTimeout(timer)
    }
  }, [numbers, name, slot])
  return read
}
