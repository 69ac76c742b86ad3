/** The same text, cut by another tokenizer, into characters or into bytes. `cut` in the address. */
import { changeParams, useAddress } from '../../state/address.ts'
import { OtherTokenizer } from './other-tokenizer.tsx'
import { Pieces } from './pieces.tsx'
import type { Piece } from './token-list.tsx'

const CHOICES = [
  { value: undefined, label: 'nothing' },
  { value: 'characters', label: 'characters' },
  { value: 'bytes', label: 'bytes' },
  { value: 'model', label: 'another tokenizer’s tokens' },
] as const

const NOTE =
  'A small list of pieces makes long texts, and a model works for each piece. A list of whole words would be endless. Tokens are between the two.'

export function CutOtherwise({ text }: { text: string }) {
  const { params } = useAddress()
  const cut = params.cut
  return (
    <section>
      <fieldset class="toolbar beside" aria-label="Compare with">
        <span class="hint">Compare with</span>
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
      {cut === 'model' && <OtherTokenizer text={text} />}
      {cut === 'characters' && <Pieces title="characters" pieces={characters(text)} note={NOTE} />}
      {cut === 'bytes' && <Pieces title="bytes" pieces={bytesOf(text)} note={NOTE} />}
    </section>
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
