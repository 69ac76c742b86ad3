/** A chat with the model, and from every answer into the views, which read the conversation as the model did. */
import { useState } from 'preact/hooks'
import { Icon } from '../../../page/view/icons.tsx'
import { Markdown } from '../../../page/view/markdown.tsx'
import { Slider } from '../../drawing/slider.tsx'
import type { Numbers } from '../../numbers/numbers.ts'
import { changeParams, useAddress } from '../../state/address.ts'
import { useModel } from '../../state/model.ts'
import { ModelBar } from '../model-bar.tsx'
import { Problem, WithNumbers } from '../read-status.tsx'
import { joined, messagesOf, type Said, saidOf } from './conversation.ts'
import { IntoViews } from './into-views.tsx'
import { useAnswering } from './use-answering.ts'

const MAX_TOKENS = 300
/** By whether the model takes conversations. */
const FIRST = {
  chats: ['Make a travel plan for Spain.', 'Why is the sky blue?', 'Write a poem about a cat.'],
  continues: ['Once upon a time', 'The American flag is red white and', 'There was a poor woman who had'],
}

export function Chat() {
  const model = useModel()
  return (
    <>
      <header class="view-head">
        <h1>Chat with the model</h1>
        <p>
          The model writes token by token, each drawn from what it expects next. Look into any answer afterwards: the
          views read the very text that the model has read and written.
        </p>
      </header>
      <ModelBar />
      {model.status === 'ready' &&
        (model.numbers.info.generates ? (
          <Talk numbers={model.numbers} />
        ) : (
          <Problem
            text={`${model.numbers.info.name} is an encoder: it reads texts and writes none, so there is nobody to chat with. The tokens and patterns views show what it does.`}
          />
        ))}
    </>
  )
}

function Talk({ numbers }: { numbers: Numbers }) {
  const { params } = useAddress()
  const said = saidOf(params.talk)
  const { hasChatTemplate: chats, source } = numbers.info
  const { arriving, failure, ask, stop } = useAnswering(numbers)
  const [draft, setDraft] = useState('')
  const temperature = Math.min(Math.max(Number(params.temperature ?? 0.7) || 0, 0), 1.5)
  const keep = (next: Said) => changeParams({ talk: next.length > 0 ? JSON.stringify(next) : undefined })
  const answer = (next: Said) => {
    keep(next)
    const most = { temperature, maxTokens: MAX_TOKENS }
    ask(
      chats ? messagesOf(next) : source ? (next.at(-1) as string) : joined(next),
      most,
      text => text !== '' && keep([...next, text]),
    )
  }
  const send = (text: string) => {
    if (text.trim() === '' || arriving !== undefined) return
    setDraft('')
    // What waits for its answer gives way to what is asked now.
    answer([...said.slice(0, said.length - (said.length % 2)), text])
  }
  const waits = said.length % 2 === 1 && arriving === undefined
  return (
    <section
      class="talk-view"
      aria-label="Conversation"
      onKeyDown={event => {
        if (event.key === 'Escape') stop()
      }}
    >
      {!chats && (
        <p class="hint">
          {source
            ? `${numbers.info.name} is an encoder-decoder: it reads what you write, and writes another text from it, such as a translation. It knows nothing of what was said before.`
            : `${numbers.info.name} has no chat template: it was not taught to answer, so it continues what you write.`}
        </p>
      )}
      {said.length === 0 && arriving === undefined && (
        <ul class="presets" aria-label="To begin with">
          {FIRST[chats ? 'chats' : 'continues'].map(text => (
            <li key={text}>
              <button type="button" class="chip" onClick={() => send(text)}>
                <span class="name">{text}</span>
              </button>
            </li>
          ))}
        </ul>
      )}
      <div role="log" class="said">
        {said.map((text, i) =>
          i % 2 === 0 ? (
            <p key={String(i)} class="bubble">
              {text}
            </p>
          ) : (
            <article key={String(i)} class="said-answer" aria-label={`Answer ${(i + 1) / 2}`}>
              <Answer text={text} ended marked={chats} />
              {/* A chat template may refuse to end with an answer: the chat goes on without its links. */}
              <WithNumbers>{own => <IntoViews numbers={own} said={said.slice(0, i + 1)} />}</WithNumbers>
            </article>
          ),
        )}
        {arriving !== undefined && (
          <article class="said-answer" aria-label="Answer" aria-busy="true">
            {arriving === '' ? (
              <p class="hint">
                <span class="pulse" /> The model reads …
              </p>
            ) : (
              <Answer text={arriving} ended={false} marked={chats} />
            )}
          </article>
        )}
      </div>
      {failure !== undefined && <Problem text={failure} />}
      {waits && (
        <button type="button" class="quiet" onClick={() => answer(said)}>
          <Icon name="retry" /> Answer it
        </button>
      )}
      <form
        class="write"
        aria-label="New message"
        onSubmit={event => {
          event.preventDefault()
          send(draft)
        }}
      >
        <textarea
          rows={2}
          aria-label="Message"
          placeholder={chats ? 'Ask something' : source ? 'Write what it shall read' : 'Write the beginning of a text'}
          value={draft}
          onInput={event => setDraft(event.currentTarget.value)}
          onKeyDown={event => {
            if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return
            event.preventDefault()
            send(draft)
          }}
        />
        {arriving === undefined ? (
          <button type="submit" class="primary" disabled={draft.trim() === ''}>
            Send
          </button>
        ) : (
          <button type="button" class="primary" onClick={stop}>
            Stop
          </button>
        )}
      </form>
      <p class="hint">{arriving === undefined ? 'Enter sends, Shift+Enter begins a line.' : 'Esc stops.'}</p>
      <div class="controls">
        <Slider
          label="Temperature (0: always the likeliest)"
          value={temperature}
          min={0}
          max={1.5}
          step={0.1}
          choose={value => changeParams({ temperature: value })}
        />
        <button
          type="button"
          class="quiet"
          disabled={said.length === 0 || arriving !== undefined}
          onClick={() => keep([])}
        >
          Begin again
        </button>
      </div>
    </section>
  )
}

function Answer({ text, ended, marked }: { text: string; ended: boolean; marked: boolean }) {
  return marked ? <Markdown text={text} ended={ended} /> : <p class="plain">{text}</p>
}
