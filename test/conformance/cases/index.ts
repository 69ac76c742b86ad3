import type { ConformanceCase } from '../case.ts'
import { attentionCases } from './attention.ts'
import { attentionBackwardCases } from './attention-backward.ts'
import { blockCases } from './blocks.ts'
import { cacheCases } from './cache.ts'
import { chainCases } from './chain.ts'
import { expertCases } from './experts.ts'
import { headMatmulCases } from './head-matmul.ts'
import { matmulCases } from './matmul.ts'
import { normCases } from './norms.ts'
import { pointwiseCases } from './pointwise.ts'
import { probabilityCases } from './probabilities.ts'
import { productBackwardCases } from './products-backward.ts'
import { ropeCases } from './rope.ts'
import { routeCases } from './route.ts'
import { rowCases } from './rows.ts'
import { rowBackwardCases } from './rows-backward.ts'
import { selectionCases } from './selection.ts'
import { stateCases } from './states.ts'
import { trainingCases } from './training.ts'
import { trainingProductCases } from './training-products.ts'

export const CASES: readonly ConformanceCase[] = [
  ...rowCases,
  ...normCases,
  ...matmulCases,
  ...headMatmulCases,
  ...blockCases,
  ...pointwiseCases,
  ...ropeCases,
  ...cacheCases,
  ...attentionCases,
  ...probabilityCases,
  ...routeCases,
  ...expertCases,
  ...chainCases,
  ...selectionCases,
  ...rowBackwardCases,
  ...productBackwardCases,
  ...attentionBackwardCases,
  ...trainingCases,
  ...trainingProductCases,
  ...stateCases,
]
