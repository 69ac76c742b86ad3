import type { ConfigReader } from '../../checkpoint/config-reader.ts'
import type { DeltaRuleConfig } from '../../nn/states/config.ts'
import type { DeltaRuleNames } from '../family.ts'

const COUNT = { min: 1, max: 1 << 16 } as const

/** Kimi Delta Attention (arXiv 2510.26692): as many heads of keys as of values, a decay for each channel, everything apart. */
export function kimiDelta(
  sizes: { readonly heads: number; readonly dim: number; readonly kernel: number },
  others: Pick<DeltaRuleConfig, 'lowRank' | 'decayFloor' | 'normEps'>,
): DeltaRuleConfig {
  const { heads, dim, kernel } = sizes
  return {
    kind: 'delta',
    ...{ nHeads: heads, nKeyHeads: heads, keyDim: dim, valueDim: dim, kernel },
    ...{ projections: 'apart', decay: 'channel', gate: 'sigmoid' },
    ...others,
  }
}

/** Gated DeltaNet (arXiv 2412.06464) as Qwen has it: fewer heads of keys than of values, a decay for each head. */
export function deltaNet(
  raw: ConfigReader,
  projections: DeltaRuleConfig['projections'],
  normEps: number,
): DeltaRuleConfig {
  const [nKeyHeads, nHeads] = [raw.int('linear_num_key_heads', COUNT), raw.int('linear_num_value_heads', COUNT)]
  if (nHeads % nKeyHeads !== 0) raw.fail('linear_num_key_heads', `a divisor of the ${nHeads} heads of values`)
  // Of llama.cpp's files.
  const keysByTurns = raw.bool('linear_keys_by_turns', { default: false }) && nHeads !== nKeyHeads
  return {
    kind: 'delta',
    nHeads,
    nKeyHeads,
    ...(keysByTurns && { keysByTurns }),
    keyDim: raw.int('linear_key_head_dim', COUNT),
    valueDim: raw.int('linear_value_head_dim', COUNT),
    kernel: raw.int('linear_conv_kernel_dim', { min: 1, max: 32, default: 4 }),
    ...{ projections, lowRank: null, decay: 'head', decayFloor: 0, gate: 'silu', normEps },
  }
}

/** Kimi's names below `at`; `decay`, `gate`: of their projections. */
export function kimiDeltaNames(at: string, own: Pick<DeltaRuleNames, 'decay' | 'gate' | 'rateShape'>): DeltaRuleNames {
  return {
    qkv: [`${at}q_proj`, `${at}k_proj`, `${at}v_proj`],
    kernels: [`${at}q_conv1d`, `${at}k_conv1d`, `${at}v_conv1d`],
    beta: `${at}b_proj`,
    decayRate: `${at}A_log`,
    decayBias: `${at}dt_bias`,
    norm: `${at}o_norm`,
    out: `${at}o_proj`,
    ...own,
  }
}
