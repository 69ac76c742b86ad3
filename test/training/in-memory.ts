import type { Document, Documents } from '../../src/training/pieces.ts'

/** Documents that are in memory. */
export function inMemory(documents: readonly Document[]): Documents {
  return {
    count: documents.length,
    shape: index => {
      const { tokens, learned, pair } = documents[index] as Document
      return { length: tokens.length, marked: learned !== undefined, ...(pair && { pair }) }
    },
    read: (index, from, to) => {
      const { tokens, learned, pair } = documents[index] as Document
      const flags = learned && { learned: learned.slice(from, to) }
      return { tokens: tokens.slice(from, to), ...flags, ...(pair && { pair }) }
    },
  }
}
