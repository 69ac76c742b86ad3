import { useEffect, useRef, useState } from 'preact/hooks'
import type { LiveAnswer } from '../store/live.ts'
import { path } from '../talk/conversation.ts'
import { useApp, useAppState } from './hooks.ts'

/** A line at the bottom that goes away by itself. */
export function Notices() {
  const app = useApp()
  const notice = useAppState(state => state.notice)
  return (
    <div class="notices" role="status">
      {notice !== undefined && (
        <p class="notice">
          {notice.text}
          {notice.action !== undefined && (
            <button
              type="button"
              class="quiet"
              onClick={() => {
                app.notify(undefined)
                notice.action?.run()
              }}
            >
              {notice.action.label}
            </button>
          )}
        </p>
      )}
    </div>
  )
}

/** How often a screen reader gets the part of an answer that has arrived, in milliseconds. */
const SPEAK_EVERY = 2000

/** Reads an arriving answer to screen readers, sentence by sentence instead of token by token. */
export function Announcer() {
  const app = useApp()
  const answering = useAppState(state => state.answering.has(state.conversation.id))
  const conversation = useAppState(state => state.conversation.id)
  const [said, setSaid] = useState('')
  const live = useRef<LiveAnswer>(undefined)
  useEffect(() => {
    if (!answering) return
    const turn = path(app.state.conversation).at(-1)
    const current = turn?.role === 'answer' ? app.live(turn) : undefined
    live.current = current
    if (current === undefined) return
    let spoken = 0
    const timer = setInterval(() => {
      const text = current.turn.text
      const end = lastSentenceEnd(text)
      if (end > spoken) setSaid(text.slice(spoken, end))
      spoken = Math.max(spoken, end)
    }, SPEAK_EVERY)
    return () => {
      clearInterval(timer)
      const { text, state } = current.turn
      const ending = { done: 'Answer complete.', failed: current.turn.failure?.message ?? '', stopped: 'Stopped.' }
      setSaid(`${text.slice(spoken)} ${state === 'arriving' ? '' : ending[state]}`)
    }
  }, [answering, conversation])
  return (
    <div class="hidden" aria-live="polite">
      {said}
    </div>
  )
}

function lastSentenceEnd(text: string): number {
  const ends = /[.!?。！？:](?=\s)|\n/g
  let end = 0
  for (const match of text.matchAll(ends)) end = match.index + 1
  return end
}
