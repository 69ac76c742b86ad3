/** The same text, cut by another model's tokenizer, into characters or into bytes. `cut` in the address. */
import { changeParams, useAddress } from '../../state/address.ts'
import { useReading } from '../../state/use-reading.ts'
import { ModelBar } from '../model-bar.tsx'
import { WithReading } from '../read-status.tsx'
import { type Piece, TokenList } from './token-list.tsx'

const CHOICES = [
  { value: undefined, label: 'nothing' },
  { value: 'characters', label: 'characters' },
  { value: 'bytes', label: 'bytes' },
  { value: 'model', label: 'another model’s tokens' },
] as const

export function CutOtherwise({ text }: { text: string }) {
  const { params } = useAddress()
  const cut = params.cut
  return (
    <section>
      <fieldset class="toolbar beside" aria-label="Beside it">
        <span class="hint">Beside it</span>
        {CHOICES.map(({ value, label }) => (
          <button
            key={label}
            type="button"
            class="chip"
            aria-pressed={value === cut}
            onClick={() => changeParams({ cut: value })}
          >
            {label}
          </button>
        ))}
      </fieldset>
      {cut === 'model' && <OtherModel text={text} />}
      {cut === 'characters' && <Pieces title="characters" pieces={characters(text)} />}
      {cut === 'bytes' && <Pieces title="bytes" pieces={bytesOf(text)} />}
    </section>
  )
}

function OtherModel({ text }: { text: string }) {
  const read = useReading(text, [], 'beside')
  return (
    <>
      <ModelBar slot="beside" />
      <WithReading read={read} slot="beside">
        {({ tokens }) => <Pieces title="tokens of the other model" pieces={tokens} />}
      </WithReading>
    </>
  )
}

function Pieces({ title, pieces }: { title: string; pieces: readonly Piece[] }) {
  return (
    <>
      <h2 id="other-count">
        {pieces.length} {title}
      </h2>
      <TokenList label={`The text in ${title}`} tokens={pieces} />
      {title === 'tokens of the other model' ? (
        <p class="hint">
          The number of a token belongs to its vocabulary: other models have other numbers, and cut elsewhere.
        </p>
      ) : (
        <p class="hint">
          A small list of pieces makes long texts, and a model works for each piece. A list of whole words would be
          endless. Tokens are between the two.
        </p>
      )}
    </>
  )
}

function characters(text: string): Piece[] {
  return [...text].map(one => ({
    id: one.codePointAt(0) ?? 0,
    text: one,
    bytes: new TextEncoder().encode(one),
    special: false,
  }))
}

/** A byte that is no character of its own shows as its number. */
function bytesOf(text: string): Piece[] {
  return [...new TextEncoder().encode(text)].map(byte => ({
    id: byte,
    text: byte < 128 ? String.fromCharCode(byte) : `<${byte.toString(16)}>`,
    bytes: Uint8Array.of(byte),
    special: false,
  }))
}
