/** Tokens: how a text is cut, here and by others, the bytes and numbers of each, tokens like it, and one word in two sentences. */
import { Bars } from '../../drawing/bars.tsx'
import { Figure } from '../../drawing/figure.tsx'
import type { TextReading } from '../../numbers/numbers.ts'
import { changeParams, useAddress } from '../../state/address.ts'
import { useModel } from '../../state/model.ts'
import { useAnswer } from '../../state/use-answer.ts'
import { useReading } from '../../state/use-reading.ts'
import { ModelBar } from '../model-bar.tsx'
import { chosen } from '../number-choice.tsx'
import { visible } from '../patterns/matrix.tsx'
import { WithReading } from '../read-status.tsx'
import { TextField } from '../text-field.tsx'
import { CutOtherwise } from './cut-otherwise.tsx'
import { Embedding } from './embedding.tsx'
import { Parting } from './parting.tsx'
import { TokenList } from './token-list.tsx'

const TEXT = 'He sat on the river bank.'

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
        {read => {
          // An encoder-decoder reads the text by its encoder.
          const reading = read.source ?? read
          return (
            <>
              <Cut reading={reading} />
              <CutOtherwise text={text} />
              <Alike reading={reading} />
              <Parting reading={reading} />
            </>
          )
        }}
      </WithReading>
    </>
  )
}

function Cut({ reading }: { reading: TextReading }) {
  const { params } = useAddress()
  const at = chosen(params.token, Math.min(1, reading.tokens.length - 1), reading.tokens.length)
  return (
    <section id="cut">
      <h2 id="token-count">{reading.tokens.length} tokens</h2>
      <TokenList
        label="Tokens of the text"
        tokens={reading.tokens}
        chosen={at}
        choose={position => changeParams({ token: String(position) })}
      />
      <p class="hint">
        A dot is a blank: it belongs to the token after it. Below each, its number in the vocabulary and its bytes.
        Special tokens control the model and are not text. Each becomes a vector of {reading.hiddenSize} numbers, as
        wide through all layers.
      </p>
      <Embedding reading={reading} at={at} />
    </section>
  )
}

function Alike({ reading }: { reading: TextReading }) {
  const { params } = useAddress()
  const model = useModel()
  const at = chosen(params.token, Math.min(1, reading.tokens.length - 1), reading.tokens.length)
  const token = reading.tokens[at]
  const numbers = model.status === 'ready' ? model.numbers : undefined
  const near = useAnswer(
    async () => (numbers && token ? { token, tokens: await numbers.neighbours(token.id) } : undefined),
    [numbers, token?.id],
  )
  if (near === undefined) return null
  return (
    <Figure
      title={`Tokens like “${visible(near.token.text)}”`}
      file="latentkit-neighbours"
      note="By the cosine of their embeddings: 1 is the same direction. Nobody told the model which words are alike; it learned that from texts."
    >
      <Bars
        label="Cosine"
        bars={near.tokens.map(({ text, similarity }) => ({
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
