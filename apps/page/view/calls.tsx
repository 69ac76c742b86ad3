/** Calls of tools in an answer, with fields for their results. */
import { useRef } from 'preact/hooks'
import type { AnswerTurn, Call } from '../talk/conversation.ts'
import { isObject, parse } from '../wire/json.ts'
import { useApp } from './hooks.ts'
import { Icon } from './icons.tsx'

interface Props {
  turn: AnswerTurn
  arriving: boolean
  /** The user may give results. */
  open: boolean
}

/** The calls of an answer. The page executes none: the user gives the results, and the model goes on with them. */
export function Calls({ turn, arriving, open }: Props) {
  const app = useApp()
  const form = useRef<HTMLFormElement>(null)
  return (
    <form
      ref={form}
      class="calls"
      onSubmit={event => {
        event.preventDefault()
        const given = new FormData(event.currentTarget)
        app.giveResults(
          turn,
          turn.calls.map((call, at) => ({ callId: call.id, text: String(given.get(`result-${at}`) ?? '') })),
        )
      }}
    >
      {turn.calls.map((call, at) => (
        <section key={call.id} class="call" aria-label={`Call of ${call.name}`}>
          <p class="name">
            <Icon name="tool" /> {call.name || '…'}
            {arriving && at === turn.calls.length - 1 && <span class="pulse" />}
          </p>
          <Arguments call={call} />
          {open && (
            <textarea
              name={`result-${at}`}
              rows={2}
              aria-label={`Result of ${call.name}`}
              placeholder="Result, as text or JSON"
              onKeyDown={event => {
                if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return
                event.preventDefault()
                form.current?.requestSubmit()
              }}
            />
          )}
        </section>
      ))}
      {open && (
        <button type="submit" class="primary">
          {turn.calls.length === 1 ? 'Send the result' : 'Send the results'}
        </button>
      )}
    </form>
  )
}

/** The arguments as a list where they are a JSON object, and as they came before that. */
function Arguments({ call }: { call: Call }) {
  const value = parse(call.arguments)
  if (!isObject(value)) return <pre>{call.arguments}</pre>
  return (
    <dl>
      {Object.entries(value).map(([name, argument]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{typeof argument === 'string' ? argument : JSON.stringify(argument, null, 2)}</dd>
        </div>
      ))}
    </dl>
  )
}
