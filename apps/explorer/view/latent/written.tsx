/** How a text goes on, as it is and with a smaller rank. */
import { useEffect, useState } from 'preact/hooks'
import type { TextReading } from '../../numbers/numbers.ts'

/** Each token reads the text anew. */
const TOKENS = 24

interface Props {
  /** As it is. */
  reading: TextReading
  /** With the smaller rank; undefined until that is read. */
  changed: TextReading | undefined
  rank: number
  /** Of ids, where there are two of them. */
  suffix: string
}

export function Written({ reading, changed, rank, suffix }: Props) {
  const own = useWritten(reading)
  const cut = useWritten(changed)
  return (
    <section aria-labelledby={`writes${suffix}`}>
      <h2 id={`writes${suffix}`}>What it writes</h2>
      <p class="hint">
        The likeliest tokens, one after the other; each reads the text anew, with all that it keeps cut to the rank. The
        cut is the best for this text, so a high rank changes nothing, and a low one makes the model forget what it
        read.
      </p>
      <div class="pair">
        <Continued title="As it is" {...own} compared={undefined} id={`written-own${suffix}`} />
        <Continued title={`With rank ${rank}`} {...cut} compared={own.pieces} id={`written-rank${suffix}`} />
      </div>
    </section>
  )
}

interface Continuation {
  readonly pieces: readonly string[]
  readonly done: boolean
}

function Continued({
  title,
  pieces,
  done,
  compared,
  id,
}: Continuation & { title: string; compared: readonly string[] | undefined; id: string }) {
  const same = compared ? compared.findIndex((piece, i) => piece !== pieces[i]) : -1
  const parts = compared === undefined || same < 0 || same >= pieces.length ? pieces.length : same
  return (
    <div>
      <h3>{title}</h3>
      <p class="written" id={id} aria-busy={!done}>
        {pieces.slice(0, parts).join('')}
        {parts < pieces.length && <mark>{pieces.slice(parts).join('')}</mark>}
      </p>
    </div>
  )
}

function useWritten(reading: TextReading | undefined): Continuation {
  const [written, setWritten] = useState<Continuation>({ pieces: [], done: false })
  const [problem, setProblem] = useState<Error>()
  useEffect(() => {
    setWritten({ pieces: [], done: false })
    if (reading === undefined) return
    const stop = new AbortController()
    const run = async () => {
      const pieces: string[] = []
      for await (const { text } of reading.write({ maxTokens: TOKENS, signal: stop.signal })) {
        pieces.push(text)
        if (!stop.signal.aborted) setWritten({ pieces: [...pieces], done: false })
      }
      if (!stop.signal.aborted) setWritten({ pieces, done: true })
    }
    run().catch((cause: Error) => {
      // Of a text that gives way to another.
      if (!stop.signal.aborted && cause.name !== 'DisposedError') setProblem(cause)
    })
    return () => stop.abort()
  }, [reading])
  if (problem !== undefined) throw problem
  return written
}
