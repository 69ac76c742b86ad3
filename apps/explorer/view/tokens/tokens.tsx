/** Tokens: how a text is cut, the bytes and numbers of each, tokens like it, and how one word parts in two sentences. */
import { Bars } from '../../drawing/bars.tsx'
import { Figure } from '../../drawing/figure.tsx'
import { ScrollBox } from '../../drawing/scroll-box.tsx'
import type { TextReading } from '../../numbers/numbers.ts'
import { changeParams, useAddress } from '../../state/address.ts'
import { useModel, useReading } from '../../state/model.ts'
import { useAnswer } from '../../state/use-answer.ts'
import { ModelBar } from '../model-bar.tsx'
import { chosen } from '../number-choice.tsx'
import { visible } from '../patterns/matrix.tsx'
import { WithReading } from '../read-status.tsx'
import { TextField } from '../text-field.tsx'
import { cosine } from './cosine.ts'

/** A word in two meanings. */
const TEXT = 'He sat on the river bank. He put money in the savings bank.'
const HUES = 6

export function Tokens() {
  const { params } = useAddress()
  const text = params.text ?? TEXT
  const read = useReading(text)
  return (
    <>
      <header class="view-head">
        <h1>What is a token?</h1>
        <p>
          A model reads no letters and no words, but tokens: pieces of text from a fixed list, each with a number.
          Frequent words are one token, rare ones several. Each number stands for a vector, the embedding, with which
          the computation begins.
        </p>
      </header>
      <ModelBar />
      <TextField text={text} />
      <WithReading read={read}>
        {reading => (
          <>
            <Cut reading={reading} />
            <Alike reading={reading} />
            <Parting reading={reading} />
          </>
        )}
      </WithReading>
    </>
  )
}

function Cut({ reading }: { reading: TextReading }) {
  const { params } = useAddress()
  const at = chosen(params.token, Math.min(1, reading.tokens.length - 1), reading.tokens.length)
  return (
    <section>
      <h2>{reading.tokens.length} tokens</h2>
      <ScrollBox label="Tokens of the text">
        <ol class="tokens">
          {reading.tokens.map(({ position, id, text, bytes, special }) => (
            <li key={position}>
              <button
                type="button"
                class={special ? 'token special' : `token hue-${position % HUES}`}
                aria-pressed={position === at}
                onClick={() => changeParams({ token: String(position) })}
              >
                <span class="piece">{special ? text : text.replaceAll(' ', '·').replaceAll('\n', '↵')}</span>
                <span class="id">{id}</span>
                <span class="bytes">{special ? 'special' : [...bytes].map(hex).join(' ')}</span>
              </button>
            </li>
          ))}
        </ol>
      </ScrollBox>
      <p class="hint">
        A dot is a blank: it belongs to the token after it. Below each, its number in the vocabulary and its bytes.
        Special tokens control the model and are not text.
      </p>
    </section>
  )
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, '0')
}

function Alike({ reading }: { reading: TextReading }) {
  const { params } = useAddress()
  const model = useModel()
  const at = chosen(params.token, Math.min(1, reading.tokens.length - 1), reading.tokens.length)
  const token = reading.tokens[at]
  const numbers = model.status === 'ready' ? model.numbers : undefined
  const near = useAnswer(
    async () => (numbers && token ? numbers.neighbours(token.id) : undefined),
    [numbers, token?.id],
  )
  if (token === undefined || near === undefined) return null
  return (
    <Figure
      title={`Tokens like “${visible(token.text)}”`}
      file="latentkit-neighbours"
      note="By the cosine of their embeddings: 1 is the same direction. Nobody told the model which words are alike; it learned that from texts."
    >
      <Bars
        label="Cosine"
        bars={near.map(({ text, similarity }) => ({
          kind: 'mqa',
          label: visible(text),
          value: Math.max(similarity, 0),
          text: similarity.toFixed(3),
          strong: false,
        }))}
      />
    </Figure>
  )
}

/** The last token that occurs twice: how its two vectors part, layer by layer. */
function Parting({ reading }: { reading: TextReading }) {
  const pair = repeated(reading)
  const parting = useAnswer(async signal => (pair ? partingOf(reading, pair, signal) : undefined), [reading])
  if (pair === undefined)
    return <p class="hint">Write a word twice, in two meanings, to see how its vectors part from layer to layer.</p>
  if (parting === undefined) return null
  const word = visible(reading.tokens[pair[0]]?.text ?? '')
  const before = pair.map(position => visible(reading.tokens[position - 1]?.text ?? ''))
  return (
    <Figure
      title={`One word, two vectors: “${word}” after “${before[0]}” and after “${before[1]}”`}
      file="latentkit-parting"
      note="The cosine of the two vectors as they enter each layer. The embedding is the same; what attention brings from the words around makes them differ."
    >
      <Bars
        label="Cosine of the two vectors"
        bars={parting.map((similarity, layer) => ({
          kind: 'mla',
          label: layer === 0 ? 'embedding' : `after ${layer - 1}`,
          value: Math.max(similarity, 0),
          text: similarity.toFixed(4),
          strong: false,
        }))}
      />
    </Figure>
  )
}

/** Two places of the last word that the text has twice. */
function repeated({ tokens }: TextReading): readonly [number, number] | undefined {
  for (let second = tokens.length - 1; second > 1; second--) {
    const token = tokens[second]
    const first = tokens.findIndex(({ id }) => id === token?.id)
    if (token && /\p{L}{2}/u.test(token.text) && !token.special && first > 0 && first < second) return [first, second]
  }
  return undefined
}

async function partingOf(
  reading: TextReading,
  [a, b]: readonly [number, number],
  signal: AbortSignal,
): Promise<number[]> {
  const similarities: number[] = []
  const width = reading.hiddenSize
  for await (const { values, start } of reading.hidden({ rows: [a, b + 1], signal })) {
    const row = (position: number) => values.subarray((position - start) * width, (position - start + 1) * width)
    similarities.push(cosine(row(a), row(b)))
  }
  return similarities
}
