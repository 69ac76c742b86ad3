/** The texts of the steps by their names. */
import type { ComponentType } from 'preact'
import type { STEPS } from './steps.ts'
import { ManyHeads, Meaning, Next, QueryMeetsKey, Token, WhoLooks } from './text-of-attention.tsx'
import { FewerHeads, Kept, Latent, Saved, WhyCache } from './text-of-caches.tsx'
import { Absorbed, NoKeys, RopeApart } from './text-of-paths.tsx'

export const TEXTS: Readonly<Record<(typeof STEPS)[number]['name'], ComponentType>> = {
  token: Token,
  meaning: Meaning,
  next: Next,
  attention: WhoLooks,
  heads: ManyHeads,
  score: QueryMeetsKey,
  cache: WhyCache,
  groups: FewerHeads,
  latent: Latent,
  rank: Kept,
  absorption: NoKeys,
  rope: RopeApart,
  cost: Absorbed,
  saved: Saved,
}
