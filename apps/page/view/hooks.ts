/** How views read the state and are drawn again when it changes. */
import { createContext } from 'preact'
import { useContext, useEffect, useReducer, useState } from 'preact/hooks'
import type { App } from '../store/app.ts'
import type { State } from '../store/state.ts'
import type { AnswerTurn } from '../talk/conversation.ts'

export const AppContext = createContext<App | undefined>(undefined)

export function useApp(): App {
  const app = useContext(AppContext)
  if (app === undefined) throw new Error('no app above this view')
  return app
}

/** A part of the state; the view is drawn again when it is another one. */
export function useAppState<T>(select: (state: State) => T): T {
  const app = useApp()
  const [, again] = useReducer((n: number) => n + 1, 0)
  const selected = select(app.state)
  useEffect(() => {
    if (select(app.state) !== selected) again(0)
    return app.watch(() => {
      if (select(app.state) !== selected) again(0)
    })
  })
  return selected
}

interface LiveTurn {
  turn: AnswerTurn
  arriving: boolean
  rate: number | undefined
  /** How much of the prompt has been read, from 0 to 1. */
  promptRead: number
}

/** The turn as it is now: an answer that arrives is drawn again with each frame that changes it. */
export function useLiveTurn(turn: AnswerTurn): LiveTurn {
  const app = useApp()
  const live = app.live(turn)
  const [, again] = useReducer((n: number) => n + 1, 0)
  useEffect(() => live?.watch(() => again(0)), [live])
  return live === undefined
    ? { turn, arriving: false, rate: turn.counts.rate, promptRead: 1 }
    : { turn: live.turn, arriving: true, rate: live.rate(), promptRead: live.promptRead }
}

/** Whether the window is as narrow as a phone. */
export function useNarrow(): boolean {
  const [query] = useState(() => matchMedia('(max-width: 760px)'))
  const [narrow, setNarrow] = useState(query.matches)
  useEffect(() => {
    const change = () => setNarrow(query.matches)
    query.addEventListener('change', change)
    return () => query.removeEventListener('change', change)
  }, [query])
  return narrow
}
