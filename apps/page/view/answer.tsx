/** An answer: its reasoning, text, calls, how it ended, and what can be done with it. */
import { useState } from 'preact/hooks'
import type { AnswerTurn } from '../talk/conversation.ts'
import { Calls } from './calls.tsx'
import { CopyButton } from './copy-button.tsx'
import { useApp, useAppState, useLiveTurn } from './hooks.ts'
import { Icon } from './icons.tsx'
import { Markdown } from './markdown.tsx'
import { Numbers } from './numbers.tsx'
import { Versions } from './versions.tsx'

interface Props {
  turn: AnswerTurn
  versions: readonly string[]
  last: boolean
  busy: boolean
}

export function AnswerView({ turn: kept, versions, last, busy }: Props) {
  const app = useApp()
  const { turn, arriving, rate, promptRead } = useLiveTurn(kept)
  const several = useAppState(state => state.models.length > 1)
  const waiting = arriving && turn.text === '' && turn.reasoning === '' && turn.calls.length === 0
  return (
    <article
      class={arriving ? 'answer arriving' : 'answer'}
      aria-label={`Answer of ${turn.model}`}
      aria-busy={arriving}
    >
      {turn.reasoning !== '' && <Reasoning turn={turn} arriving={arriving} />}
      {waiting && (
        <p class="waiting">
          <span class="pulse" /> Reading the prompt{promptRead > 0 ? `, ${Math.floor(promptRead * 100)} %` : '…'}
        </p>
      )}
      {turn.text !== '' && <Markdown text={turn.text} ended={!arriving} />}
      {turn.calls.length > 0 && <Calls turn={turn} arriving={arriving} open={last && !arriving} />}
      <Ending turn={turn} arriving={arriving} />
      {last && !busy && endedEarly(turn) && (
        <button type="button" class="quiet continue" onClick={() => app.continue(turn)}>
          <Icon name="right" /> Continue
        </button>
      )}
      <footer>
        <div class="actions">
          <Versions id={turn.id} versions={versions} busy={busy} />
          {!arriving && (
            <>
              {turn.text !== '' && <CopyButton text={() => turn.text} label="Copy answer" />}
              <button
                type="button"
                class="icon-button"
                aria-label="Try again"
                title="Another answer"
                disabled={busy}
                onClick={() => app.retry(turn)}
              >
                <Icon name="retry" />
              </button>
            </>
          )}
        </div>
        <Numbers turn={turn} rate={rate} model={several ? turn.model : ''} />
      </footer>
    </article>
  )
}

function Reasoning({ turn, arriving }: { turn: AnswerTurn; arriving: boolean }) {
  const [open, setOpen] = useState(false)
  const thinking = arriving && turn.reasonedMs === undefined
  const seconds = turn.reasonedMs === undefined ? '' : ` for ${(turn.reasonedMs / 1000).toFixed(1)} s`
  return (
    <details class="reasoning" open={open} onToggle={event => setOpen(event.currentTarget.open)}>
      <summary>
        <Icon name="right" />
        {thinking ? (
          <>
            Reasoning <span class="pulse" />
          </>
        ) : (
          `Reasoned${seconds}`
        )}
      </summary>
      {open && <Markdown text={turn.reasoning} ended={!thinking} />}
    </details>
  )
}

/** Whether the model can go on with an answer. */
function endedEarly(turn: AnswerTurn): boolean {
  const early = turn.state === 'stopped' || turn.state === 'failed' || turn.finish === 'length'
  return early && turn.text !== '' && turn.calls.length === 0
}

/** Why an answer is not whole. */
function Ending({ turn, arriving }: { turn: AnswerTurn; arriving: boolean }) {
  if (arriving) return null
  if (turn.state === 'failed')
    return (
      // The announcer reads it out.
      <p class="ending failed">{turn.failure?.message}</p>
    )
  if (turn.state !== 'done') return <p class="ending">Stopped.</p>
  if (turn.finish === 'length') return <p class="ending">The answer ended at its limit of tokens.</p>
  if (turn.text === '' && turn.calls.length === 0) return <p class="ending">The answer is empty.</p>
  return null
}
