/** Cuts Markdown into blocks, so that only the last one is parsed again while a text grows. */
import { parseMarkdown, type References, type Token } from './parser.ts'

export interface Blocks {
  /** Blocks that later text cannot change, each as its tokens. */
  settled: Token[][]
  /** The last block, which may still grow. */
  last: Token[]
  /** Where the last block begins in the text. */
  open: number
  /** The link references of the text before it. */
  references: References
  /** Whether the text defines any at all. */
  hasReferences: boolean
}

/**
 * The blocks of `text` from `from` on, which is where a block begins. Only the last block of a document is open: a block
 * ends when the next one begins (CommonMark, "Phase 1: block structure"). `references` are those of the text before.
 */
export function splitBlocks(text: string, from: number, references: References): Blocks {
  const tail = text.slice(from)
  const found = { references: { ...references.references } }
  const blocks: Token[][] = []
  for (const token of parseMarkdown(tail, found)) {
    if (token.level === 0 && token.nesting >= 0) blocks.push([])
    blocks.at(-1)?.push(token)
  }
  const last = blocks.pop() ?? []
  const open = from + lineStart(tail, last[0]?.map?.[0] ?? 0)
  // The first definition of a name holds, and one in the open block may not be complete: so only settled text defines.
  const settledReferences = { references: { ...references.references } }
  if (open > from) parseMarkdown(text.slice(from, open), settledReferences)
  const hasReferences = Object.keys(found.references).length > 0
  return { settled: blocks, last, open, references: settledReferences, hasReferences }
}

function lineStart(text: string, line: number): number {
  let at = 0
  for (let n = 0; n < line; n++) at = text.indexOf('\n', at) + 1
  return at
}
