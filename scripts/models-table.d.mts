/** Tables in Markdown by the names of their marks in docs/models.md. */
export const TABLES: Readonly<Record<string, string>>
/** The page with its tables as they are computed. */
export function filled(page: string): string
