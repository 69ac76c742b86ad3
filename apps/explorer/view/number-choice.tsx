/** One of a few numbers, such as a layer. */
interface Props {
  label: string
  value: number
  count: number
  choose: (value: string) => void
}

export function NumberChoice({ label, value, count, choose }: Props) {
  return (
    <label class="field">
      <span>{label}</span>
      <select value={String(value)} onChange={event => choose(event.currentTarget.value)}>
        {Array.from({ length: count }, (_, i) => (
          <option key={String(i)} value={String(i)}>
            {i}
          </option>
        ))}
      </select>
    </label>
  )
}

export function TokenChoice({
  label,
  value,
  tokens,
  choose,
}: {
  label: string
  value: number
  tokens: readonly string[]
  choose: (value: string) => void
}) {
  return (
    <label class="field">
      <span>{label}</span>
      <select value={String(value)} onChange={event => choose(event.currentTarget.value)}>
        {tokens.map((token, i) => (
          <option key={String(i)} value={String(i)}>
            {i}: {token}
          </option>
        ))}
      </select>
    </label>
  )
}

/** A whole number of the address, at least 0 and below `count`. */
export function chosen(text: string | undefined, fallback: number, count: number): number {
  const value = Math.trunc(Number(text ?? fallback))
  return Number.isFinite(value) ? Math.min(Math.max(value, 0), count - 1) : Math.min(fallback, count - 1)
}
