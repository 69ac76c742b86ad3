/** One word in two sentences: how its two vectors part, layer by layer. `text2` and `word` in the address. */
import { Bars } from '../../drawing/bars.tsx'
import { Figure } from '../../drawing/figure.tsx'
import type { TextReading } from '../../numbers/numbers.ts'
import { changeParams, useAddress } from '../../state/address.ts'
import { useAnswer } from '../../state/use-answer.ts'
import { useReading } from '../../state/use-reading.ts'
import { visible } from '../patterns/matrix.tsx'
import { WithReading } from '../read-status.tsx'
import { type Apart, apart } from './apart.ts'

const OTHER = 'He put money in the savings bank.'

export function Parting({ reading }: { reading: TextReading }) {
  const { params } = useAddress()
  const other = params.text2 ?? OTHER
  const read = useReading(other)
  return (
    <section id="parting">
      <h2>One word in two sentences</h2>
      <label class="field">
        <span>Another sentence with the same word</span>
        <textarea
          rows={1}
          value={other}
          onInput={event => changeParams({ text2: event.currentTarget.value, word: undefined })}
        />
      </label>
      <WithReading read={read}>{second => <Shared first={reading} second={second.source ?? second} />}</WithReading>
    </section>
  )
}

function Shared({ first, second }: { first: TextReading; second: TextReading }) {
  const { params } = useAddress()
  const words = sharedWords(first, second)
  const word = words.find(({ id }) => String(id) === params.word) ?? words[0]
  const parting = useAnswer(
    async signal => {
      if (word === undefined) return undefined
      const before = wordEndingAt(first.tokens, word.first - 1)
      const after = wordEndingAt(second.tokens, word.second - 1)
      const name = visible(word.text)
      return { name, before, after, layers: await partingOf(first, second, word, signal) }
    },
    [first, second, word?.id],
  )
  if (word === undefined)
    return <p class="hint">The two sentences have no word in common, so there is nothing to compare.</p>
  if (parting === undefined) return null
  const { name, before, after, layers } = parting
  return (
    <>
      <label class="field inline">
        <span>Word</span>
        <select value={String(word.id)} onChange={event => changeParams({ word: event.currentTarget.value })}>
          {words.map(({ id, text }) => (
            <option key={id} value={String(id)}>
              {visible(text)}
            </option>
          ))}
        </select>
      </label>
      <Figure
        title={`“${name}” after “${before}” and after “${after}”`}
        file="latentkit-parting"
        note="The distance of the two vectors, as a part of their length, and their cosine, before the first layer and after each. The embedding is the same, so the distance begins at 0; attention brings what the other words say, and the two become two meanings."
      >
        <Bars
          label={`Distance of the two vectors of “${name}”`}
          bars={layers.map(({ distance, cosine }, layer) => ({
            kind: 'mla',
            label: layer === 0 ? 'embedding' : `layer ${layer - 1}`,
            value: distance,
            text: `${distance.toFixed(3)}  (cosine ${cosine.toFixed(3)})`,
            strong: false,
          }))}
        />
      </Figure>
    </>
  )
}

/** The word whose last token is at `end`: with the tokens before it, up to one that begins with a blank. */
function wordEndingAt(tokens: TextReading['tokens'], end: number): string {
  let from = end
  while (from > 0 && /^\p{L}/u.test(tokens[from]?.text ?? '') && /\p{L}$/u.test(tokens[from - 1]?.text ?? '')) from--
  // A tokenizer that marks no blanks leaves nothing to tell words by.
  const marked = /^\s/.test(tokens[from]?.text ?? '') || from === end
  return visible(
    tokens
      .slice(marked ? from : end, end + 1)
      .map(({ text }) => text)
      .join(''),
  )
}

export interface SharedWord {
  readonly id: number
  readonly text: string
  /** The first place in the first sentence, the last one in the second. */
  readonly first: number
  readonly second: number
}

/** Words of both, the last of the first sentence at first. */
export function sharedWords(a: TextReading, b: TextReading): SharedWord[] {
  return a.tokens
    .filter(({ id, text, special, position }) => {
      const word = !special && position > 0 && /\p{L}{2}/u.test(text)
      return word && a.tokens.findIndex(one => one.id === id) === position && b.tokens.some(one => one.id === id)
    })
    .map(({ id, text, position }) => ({
      ...{ id, text, first: position },
      second: b.tokens.findLastIndex(one => one.id === id),
    }))
    .reverse()
}

export async function partingOf(
  first: Pick<TextReading, 'hidden'>,
  second: Pick<TextReading, 'hidden'>,
  word: Pick<SharedWord, 'first' | 'second'>,
  signal?: AbortSignal,
): Promise<Apart[]> {
  const one = { rows: [word.first, word.first + 1], ...(signal && { signal }) }
  const two = { rows: [word.second, word.second + 1], ...(signal && { signal }) }
  const states: Float32Array[] = []
  for await (const { values } of first.hidden(one)) states.push(values)
  const result: Apart[] = []
  for await (const { values } of second.hidden(two)) result.push(apart(states[result.length]!, values))
  return result
}
