/** A number of the model in the text of a step; a dash until it is known. */
export function Told({ children }: { children: string | undefined }) {
  return (
    <strong class="told" data-known={children !== undefined}>
      {children ?? '…'}
    </strong>
  )
}
