import { useEffect, useRef, useState } from 'preact/hooks'
import type { Message } from '../../../../src/browser.ts'
import type { AnswerOptions, Numbers } from '../../numbers/numbers.ts'

interface Answering {
  /** What has come of the answer that is being written; undefined at rest. */
  readonly arriving: string | undefined
  readonly failure: string | undefined
  /** `done` receives the answer, whole or as far as it came; not when the view is left. */
  ask(prompt: string | readonly Message[], options: AnswerOptions, done: (answer: string) => void): void
  stop(): void
}

export function useAnswering(numbers: Numbers | undefined): Answering {
  const [arriving, setArriving] = useState<string>()
  const [failure, setFailure] = useState<string>()
  const running = useRef<AbortController>(undefined)
  const left = useRef(false)
  // Another model, or another view, ends it.
  useEffect(() => {
    left.current = false
    return () => {
      left.current = true
      running.current?.abort()
    }
  }, [numbers])
  return {
    arriving,
    failure,
    stop: () => running.current?.abort(),
    ask: async (prompt, options, done) => {
      if (numbers === undefined || running.current !== undefined) return
      const own = new AbortController()
      running.current = own
      setFailure(undefined)
      setArriving('')
      let text = ''
      try {
        for await (const piece of numbers.answer(prompt, options, own.signal)) {
          text += piece
          setArriving(text)
        }
      } catch (cause) {
        if (!own.signal.aborted) setFailure((cause as Error).message)
      } finally {
        running.current = undefined
        setArriving(undefined)
        if (!left.current) done(text)
      }
    },
  }
}
