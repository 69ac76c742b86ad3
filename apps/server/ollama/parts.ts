/** Pieces that Ollama's objects have in common. */

export function head(model: string) {
  return { model, created_at: new Date().toISOString() }
}

/** Times are nanoseconds. */
export const ns = (ms: number): number => Math.round(ms * 1e6)
