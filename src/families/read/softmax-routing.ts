import type { ConfigReader } from '../../checkpoint/config-reader.ts'
import type { Routing } from '../runnable.ts'

/** Experts by the softmax of their scores, without groups or a bias for the choice; `norm_topk_prob` makes the chosen ones sum to 1. */
export function softmaxRouting(raw: ConfigReader, normalise: boolean): Routing {
  return {
    scoring: 'softmax',
    groups: 1,
    topkGroups: 1,
    groupScore: 'max',
    normalise: raw.bool('norm_topk_prob', { default: normalise }),
    scale: 1,
  }
}
