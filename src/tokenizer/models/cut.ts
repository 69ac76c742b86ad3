import type { Work } from '../work.ts'

/** Undefined if the vocabulary has no token. */
export type Id = number | undefined

/** Cuts a piece into tokens and adds their ids. Throws TokenizerError for too much work. */
export type Cut = (piece: string, ids: Id[], work: Work) => void
