/** Numbers as text. */
export interface Table {
  readonly columns: readonly string[]
  readonly rows: readonly (readonly (string | number)[])[]
}

/** As CSV (RFC 4180). */
export function csv({ columns, rows }: Table): string {
  const cell = (one: string | number) => {
    const text = String(one)
    return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
  }
  return [columns, ...rows].map(row => row.map(cell).join(',')).join('\n')
}
