import type { ConformanceCase } from '../case.ts'
import { attentionCases } from './attention.ts'
import { blockCases } from './blocks.ts'
import { cacheCases } from './cache.ts'
import { chainCases } from './chain.ts'
import { expertCases } from './experts.ts'
import { headMatmulCases } from './head-matmul.ts'
import { matmulCases } from './matmul.ts'
import { mergeCases } from './merge.ts'
import { normCases } from './norms.ts'
import { pointwiseCases } from './pointwise.ts'
import { ropeCases } from './rope.ts'
import { routeCases } from './route.ts'
import { rowCases } from './rows.ts'
import { softmaxCases } from './softmax.ts'

export const CASES: readonly ConformanceCase[] = [
  ...rowCases,
  ...normCases,
  ...matmulCases,
  ...headMatmulCases,
  ...blockCases,
  ...pointwiseCases,
  ...softmaxCases,
  ...ropeCases,
  ...cacheCases,
  ...attentionCases,
  ...mergeCases,
  ...routeCases,
  ...expertCases,
  ...chainCases,
]
