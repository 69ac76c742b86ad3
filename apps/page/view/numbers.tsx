import type { AnswerTurn } from '../talk/conversation.ts'
import { useApp, useAppState } from './hooks.ts'

/** What an answer cost: its speed, its tokens, and how much of the prompt was in the cache. */
export function Numbers({ turn, rate, model }: { turn: AnswerTurn; rate: number | undefined; model: string }) {
  const app = useApp()
  useAppState(state => state.models)
  const { promptTokens, cachedTokens, answerTokens, reasoningTokens } = turn.counts
  const context = app.state.models.find(({ id }) => id === turn.model)?.contextLength
  const used = (promptTokens ?? 0) + (answerTokens ?? 0)
  const facts: [string, string, string][] = []
  if (rate !== undefined) facts.push(['rate', `${rate.toFixed(rate < 10 ? 1 : 0)} tokens/s`, 'speed of writing'])
  if (answerTokens !== undefined) {
    const reasoned = reasoningTokens ? `, ${count(reasoningTokens)} of them reasoning` : ''
    facts.push(['tokens', `${count(answerTokens)} tokens`, `length of the answer${reasoned}`])
  }
  if (promptTokens !== undefined)
    facts.push(
      cachedTokens === undefined
        ? ['prompt', `prompt ${count(promptTokens)}`, 'tokens of the prompt']
        : [
            'cached',
            `${count(cachedTokens)} of ${count(promptTokens)} cached`,
            'tokens of the prompt that were in the cache',
          ],
    )
  if (turn.firstMs !== undefined)
    facts.push(['first', `first after ${seconds(turn.firstMs)}`, 'time from the request to the first token'])
  if (context !== undefined && used > context * 0.5)
    facts.push([
      'context',
      `${Math.round((used / context) * 100)} % of context`,
      `${count(used)} of ${count(context)} tokens`,
    ])
  if (model !== '') facts.push(['model', model, 'model'])
  return (
    <ul class="numbers" aria-label="Numbers of this answer">
      {facts.map(([key, said, title]) => (
        <li key={key} class={key} title={title}>
          {said}
        </li>
      ))}
    </ul>
  )
}

function count(value: number): string {
  return value.toLocaleString('en')
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(ms < 9_950 ? 2 : 0)} s`
}
