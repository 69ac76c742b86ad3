import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks'
import { path, type Turn, versions } from '../talk/conversation.ts'
import { AnswerView } from './answer.tsx'
import { useApp, useAppState } from './hooks.ts'
import { Icon } from './icons.tsx'
import { memo } from './memo.ts'
import { UserView } from './user-message.tsx'

/** How many turns are drawn at first; earlier ones follow on request, so that a long conversation opens at once. */
const SHOWN = 60

export function ConversationView() {
  const app = useApp()
  const conversation = useAppState(state => state.conversation)
  const answering = useAppState(state => state.answering.has(state.conversation.id))
  const turns = useMemo(() => path(conversation), [conversation])
  const versionsOf = useMemo(() => versions(conversation), [conversation])
  const [shown, setShown] = useState(SHOWN)
  useEffect(() => setShown(SHOWN), [conversation.id])
  const newest = turns.at(-1)?.id
  const { frame, content, atEnd, toEnd } = useStickToEnd(newest)
  const first = Math.max(0, turns.length - shown)
  return (
    <main class="scroll" ref={frame} aria-busy={answering}>
      <div class="talk" ref={content} role="log" aria-label="Conversation" aria-live="off">
        {turns.length === 0 && <Welcome />}
        {conversation.settings.system.trim() !== '' && (
          <button
            type="button"
            class="system"
            onClick={() => app.openPanel('settings')}
            title="Change the system prompt"
          >
            <span>System</span> {conversation.settings.system}
          </button>
        )}
        {first > 0 && (
          <button type="button" class="quiet earlier" onClick={() => setShown(shown + 200)}>
            Show {Math.min(200, first)} earlier messages
          </button>
        )}
        {turns.slice(first).map(turn => (
          <TurnView
            key={turn.id}
            turn={turn}
            versions={versionsOf(turn).join(' ')}
            last={turn === turns.at(-1)}
            busy={answering}
          />
        ))}
      </div>
      {!atEnd && (
        <button type="button" class="to-end" aria-label="To the end" title="To the end" onClick={toEnd}>
          <Icon name="down" />
        </button>
      )}
    </main>
  )
}

interface TurnProps {
  turn: Turn
  /** The ids of the turns for this place, with spaces between them: equal texts need no new drawing. */
  versions: string
  last: boolean
  busy: boolean
}

const TurnView = memo(({ turn, versions, last, busy }: TurnProps) => {
  const ids = versions.split(' ')
  if (turn.role === 'user') return <UserView turn={turn} versions={ids} busy={busy} />
  if (turn.role === 'answer') return <AnswerView turn={turn} versions={ids} last={last} busy={busy} />
  return (
    <article class="results" aria-label="Results of calls">
      {turn.results.map(result => (
        <div key={result.callId} class="result">
          <span>Result</span>
          <pre>{result.text}</pre>
        </div>
      ))}
    </article>
  )
})

function Welcome() {
  const app = useApp()
  const failure = useAppState(state => state.modelsFailure)
  useAppState(state => state.models)
  const model = app.model()
  return (
    <section class="welcome">
      <h2>{failure !== undefined || model === '' ? 'latentkit' : model}</h2>
      {failure === undefined ? (
        <p>What you write goes to this server only, and conversations are kept in this browser.</p>
      ) : (
        <p role="alert">{failure.message}</p>
      )}
      <p class="hint">
        <button type="button" class="quiet" onClick={() => app.openPanel('settings')}>
          System prompt, sampling and tools
        </button>
        <button type="button" class="quiet" onClick={() => app.openPanel('shortcuts')}>
          Keys
        </button>
      </p>
    </section>
  )
}

/** Keeps the end in view while it grows, unless the user has scrolled away from it since the newest turn came. */
function useStickToEnd(newest: string | undefined) {
  const frame = useRef<HTMLElement>(null)
  const content = useRef<HTMLDivElement>(null)
  const sticks = useRef(true)
  const [atEnd, setAtEnd] = useState(true)
  const toEnd = () => {
    sticks.current = true
    frame.current?.scrollTo({ top: frame.current.scrollHeight })
  }
  // To a new turn, and to another conversation's end.
  useLayoutEffect(toEnd, [newest])
  useEffect(() => {
    const element = frame.current
    if (element === null || content.current === null) return
    let height = 0
    const scrolled = () => {
      const end = element.scrollHeight - element.scrollTop - element.clientHeight < 40
      // Growth moves the end away; only the user's own scrolling lets go of it.
      if (end || element.scrollHeight === height) sticks.current = end
      height = element.scrollHeight
      setAtEnd(end || sticks.current)
    }
    const grown = new ResizeObserver(() => {
      if (sticks.current) element.scrollTop = element.scrollHeight
      else scrolled()
    })
    grown.observe(content.current)
    grown.observe(element)
    element.addEventListener('scroll', scrolled, { passive: true })
    return () => {
      grown.disconnect()
      element.removeEventListener('scroll', scrolled)
    }
  }, [])
  return { frame, content, atEnd, toEnd }
}
