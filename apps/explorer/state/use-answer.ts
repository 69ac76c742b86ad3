import { useEffect, useState } from 'preact/hooks'

/**
 * What a question of the engine gave; asked again when one of `of` is another, and given up where it no longer counts. What it is
 * refused with is thrown while the view is drawn: `WithReading` shows it.
 */
export function useAnswer<T>(ask: (signal: AbortSignal) => Promise<T>, of: readonly unknown[]): T | undefined {
  const [answer, setAnswer] = useState<T>()
  const [problem, setProblem] = useState<Error>()
  useEffect(() => {
    const stop = new AbortController()
    setProblem(undefined)
    ask(stop.signal).then(
      next => !stop.signal.aborted && setAnswer(() => next),
      (cause: Error) => {
        // Of a text that gives way to another.
        if (!stop.signal.aborted && cause.name !== 'DisposedError') setProblem(cause)
      },
    )
    return () => stop.abort()
  }, of)
  if (problem !== undefined) throw problem
  return answer
}
