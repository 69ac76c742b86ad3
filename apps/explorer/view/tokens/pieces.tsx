import { type Piece, TokenList } from './token-list.tsx'

/** A text in pieces of another kind, and what is to be said of them. */
export function Pieces({ title, pieces, note }: { title: string; pieces: readonly Piece[]; note: string }) {
  return (
    <>
      <h2 id="other-count">
        {pieces.length} {title}
      </h2>
      <TokenList label={`The text in ${title}`} tokens={pieces} />
      <p class="hint">{note}</p>
    </>
  )
}
