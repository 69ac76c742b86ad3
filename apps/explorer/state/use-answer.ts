import { useEffect, useState } from 'preact/hooks'

/** What a question of the engine gave; asked again when one of `of` is another, and given up where it no longer counts. */
export function useAnswer<T>(ask: (signal: AbortSignal) => Promise<T>, of: readonly unknown[]): T | undefined {
  const [answer, setAnswer] = useState<T>()
  useEffect(() => {
    const stop = new AbortController()
    ask(stop.signal).then(
      next => !stop.signal.aborted && setAnswer(() => next),
      cause => {
        if (!stop.signal.aborted) throw cause
      },
    )
    return () => stop.abort()
  }, of)
  return answer
}
