/** A text as it is written with a cache, step by step. */
import { useEffect, useState } from 'preact/hooks'
import type { GrowthStep, Numbers } from '../../numbers/numbers.ts'

export interface Growth {
  readonly steps: readonly GrowthStep[]
  readonly done: boolean
}

const NOTHING: Growth = { steps: [], done: false }
/** While a text is typed, it is not continued. */
const TYPED_AFTER_MS = 350
/** Steps that arrive are shown this often: each time all of them are planned. */
const SHOWN_EVERY_MS = 100

/** The steps so far. What the model refuses is thrown while the view is drawn. */
export function useGrowth(numbers: Numbers, text: string, count: number): Growth {
  const [growth, setGrowth] = useState(NOTHING)
  const [problem, setProblem] = useState<Error>()
  useEffect(() => {
    const stop = new AbortController()
    setProblem(undefined)
    const run = async () => {
      const steps: GrowthStep[] = []
      let shown = 0
      for await (const step of numbers.grow(text, count, stop.signal)) {
        steps.push(step)
        if (stop.signal.aborted || performance.now() - shown < SHOWN_EVERY_MS) continue
        shown = performance.now()
        setGrowth({ steps: [...steps], done: false })
      }
      if (!stop.signal.aborted) setGrowth({ steps, done: true })
    }
    const begin = () => run().catch((cause: Error) => !stop.signal.aborted && setProblem(cause))
    const timer = setTimeout(begin, TYPED_AFTER_MS)
    return () => {
      clearTimeout(timer)
      stop.abort()
    }
  }, [numbers, text, count])
  if (problem !== undefined) throw problem
  return growth
}
