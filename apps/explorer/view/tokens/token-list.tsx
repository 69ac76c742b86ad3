/** Pieces of a text one after the other, each with its number and its bytes. */
import { ScrollBox } from '../../drawing/scroll-box.tsx'

export interface Piece {
  readonly id: number
  readonly text: string
  readonly bytes: Uint8Array
  readonly special: boolean
}

interface Props {
  label: string
  tokens: readonly Piece[]
  /** Without it, they are only shown. */
  choose?: (position: number) => void
  chosen?: number
}

const HUES = 6

export function TokenList({ label, tokens, choose, chosen }: Props) {
  return (
    <ScrollBox label={label}>
      <ol class="tokens">
        {tokens.map((token, position) => {
          const look = token.special ? 'token special' : `token hue-${position % HUES}`
          return (
            <li key={String(position)}>
              {choose ? (
                <button type="button" class={look} aria-pressed={position === chosen} onClick={() => choose(position)}>
                  <Parts {...token} />
                </button>
              ) : (
                <span class={look}>
                  <Parts {...token} />
                </span>
              )}
            </li>
          )
        })}
      </ol>
    </ScrollBox>
  )
}

function Parts({ id, text, bytes, special }: Piece) {
  return (
    <>
      <span class="piece">{special ? text : text.replaceAll(' ', '·').replaceAll('\n', '↵')}</span>
      <span class="id">{id}</span>
      <span class="bytes">{special ? 'special' : [...bytes].map(hex).join(' ')}</span>
    </>
  )
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, '0')
}
