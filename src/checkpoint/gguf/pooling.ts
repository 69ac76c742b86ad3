import type { EmbeddingFacts } from '../embedding-facts.ts'
import { quote } from '../quote.ts'
import type { Metadata } from './metadata.ts'

/** `{arch}.pooling_type`: none, mean, cls, last, rank, as llama.cpp numbers them. A reranker pools as its head does. */
const POOLING: readonly EmbeddingFacts[] = [{}, { pooling: 'mean' }, { pooling: 'cls' }, { pooling: 'last' }, {}]

/** Throws nothing: the model may be meant for something else. */
export function embeddingFactsOf(m: Metadata): EmbeddingFacts {
  const key = '{arch}.pooling_type'
  if (!m.has(key)) return {}
  const type = m.raw(key)
  const known = typeof type === 'number' ? POOLING[type] : undefined
  if (known) return known
  const met = `${m.file}: key "${m.architecture}.pooling_type" is ${quote(String(type), 20)}`
  return { refused: `${met}; expected 0 to ${POOLING.length - 1}` }
}
