import type { CacheType } from '../../../src/tensor/dtype.ts'
import { type AttentionSequence, type AttentionSpec, recordAttention } from '../attention-spec.ts'
import type { ConformanceCase } from '../case.ts'

const one = (queries: number, position: number, more: Partial<AttentionSequence> = {}): AttentionSequence[] => [
  { queries, position, ...more },
]

const MLA = { heads: 5, width: 33, rope: 6 } as const
const GQA = { kind: 'grouped', heads: 6, groups: 2, width: 20, value: 13 } as const

const STORED: readonly (CacheType | 'contiguous')[] = ['f32', 'f16', 'bf16', 'contiguous']

const everyStore = STORED.flatMap((stored): AttentionSpec[] => [
  { name: 'GQA decode', ...GQA, stored, sequences: one(1, 32) },
  { name: 'GQA chunk', ...GQA, stored, blockTokens: 5, sequences: one(7, 11) },
  { name: 'MHA whole', kind: 'grouped', heads: 3, groups: 3, width: 9, value: 9, stored, sequences: one(19, 0) },
  { name: 'MQA, wide', kind: 'grouped', heads: 4, groups: 1, width: 256, value: 256, stored, sequences: one(3, 20) },
  { name: 'absorbed decode', kind: 'absorbed', ...MLA, stored, sequences: one(1, 22) },
  { name: 'absorbed chunk', kind: 'absorbed', ...MLA, stored, blockTokens: 4, sequences: one(6, 14) },
  { name: 'joint row, decode', kind: 'joint', ...MLA, stored, sequences: one(1, 40), blockTokens: 8 },
  { name: 'joint row, chunk', kind: 'joint', heads: 16, width: 64, rope: 16, stored, sequences: one(9, 8) },
  { name: 'expanded chunk', kind: 'expanded', heads: 4, width: 10, rope: 6, value: 14, stored, sequences: one(6, 9) },
  { name: 'expanded decode', kind: 'expanded', heads: 3, width: 32, rope: 8, value: 24, stored, sequences: one(1, 30) },
  {
    name: 'long decode',
    kind: 'joint',
    heads: 4,
    width: 40,
    rope: 8,
    stored,
    sequences: one(1, 1500),
    blockTokens: 16,
  },
])

const RAGGED: readonly AttentionSequence[] = [
  { queries: 1, position: 33 },
  { queries: 7, position: 0 },
  { queries: 0, position: 4 },
  { queries: 3, position: 14, keyStart: 6 },
  { queries: 1, position: 0 },
]

/** Codes with scales; beside latents of these a rope key of another type. A value is never a part of such a vector. */
const scaled = (['int8', 'fp8'] as const).flatMap((stored): AttentionSpec[] => [
  { name: 'GQA chunk', ...GQA, stored, blockTokens: 5, sequences: one(7, 11) },
  { name: 'absorbed decode', kind: 'absorbed', ...MLA, rope: 8, storedSecond: 'bf16', stored, sequences: one(1, 22) },
  {
    name: 'absorbed chunk',
    kind: 'absorbed',
    heads: 16,
    width: 64,
    rope: 16,
    storedSecond: 'f16',
    stored,
    sequences: one(9, 8),
  },
  { name: 'all with scales', kind: 'absorbed', ...MLA, stored, blockTokens: 4, sequences: RAGGED },
  { name: 'window', kind: 'absorbed', ...MLA, rope: 8, storedSecond: 'bf16', stored, window: 7, sequences: one(6, 14) },
  {
    name: 'long decode',
    ...{ kind: 'absorbed', heads: 16, width: 160, rope: 32, storedSecond: 'bf16', stored, blockTokens: 64 },
    sequences: one(1, 1500),
  },
  { name: 'expanded', kind: 'expanded', heads: 4, width: 10, rope: 6, value: 14, stored, sequences: one(6, 9) },
])

const CHOSEN = { kind: 'absorbed', heads: 16, width: 64, rope: 16 } as const

const selections = STORED.filter(stored => stored !== 'contiguous').flatMap((stored): AttentionSpec[] => [
  { name: 'gathered', ...CHOSEN, stored, selected: { most: 40, gather: true }, sequences: one(1, 300) },
  {
    name: 'gathered, some of fewer keys, blocks of no tile',
    ...{ ...CHOSEN, heads: 5, width: 33, rope: 6, stored, blockTokens: 5, selected: { most: 12, gather: true } },
    sequences: [0, 3, 11, 12, 40, 41, 99].map(position => ({ queries: 1, position })),
  },
  {
    name: 'gathered from many',
    ...{ ...CHOSEN, stored, blockTokens: 64, selected: { most: 700, gather: true } },
    sequences: one(1, 1500),
  },
  {
    name: 'gathered, scores captured',
    ...{ ...CHOSEN, stored, blockTokens: 64, scores: 0, selected: { most: 70, gather: true } },
    sequences: one(1, 300),
  },
  {
    name: 'masked',
    ...{ kind: 'expanded', heads: 4, width: 10, rope: 6, value: 14, stored, selected: { most: 30, gather: false } },
    sequences: one(9, 200),
  },
  {
    name: 'masked, few queries',
    ...{ kind: 'expanded', heads: 4, width: 10, rope: 6, value: 14, stored, selected: { most: 30, gather: false } },
    sequences: one(3, 254),
  },
  {
    name: 'masked, carried, one query',
    ...{ kind: 'expanded', heads: 4, width: 10, rope: 6, value: 14, stored, carry: true, scores: 1 },
    selected: { most: 5, gather: false },
    sequences: one(1, 90),
  },
])

/** Codes with scales are read by the other kernel. */
const scaledSelections = (['int8', 'fp8'] as const).map(
  (stored): AttentionSpec => ({
    name: 'gathered',
    ...{ ...CHOSEN, stored, storedSecond: 'bf16', blockTokens: 64, selected: { most: 100, gather: true } },
    sequences: [60, 150, 1000].map(position => ({ queries: 1, position })),
  }),
)

const LONG = { ...GQA, heads: 4, stored: 'f32', blockTokens: 16 } as const

const masks: readonly AttentionSpec[] = [
  { name: 'first token', ...GQA, stored: 'f16', sequences: one(1, 0) },
  { name: 'a number each', kind: 'grouped', heads: 1, width: 1, value: 1, stored: 'f32', sequences: one(2, 3) },
  { name: 'window, whole', ...GQA, stored: 'f32', window: 5, sequences: one(13, 0) },
  { name: 'window of one', ...GQA, stored: 'bf16', window: 1, sequences: one(3, 3) },
  { name: 'window wider than all', ...GQA, stored: 'f16', window: 100, sequences: one(4, 2) },
  { name: 'window, older blocks freed', ...GQA, stored: 'f16', window: 8, sequences: one(2, 31, { keyStart: 24 }) },
  { name: 'window, keys from mid block', ...GQA, stored: 'f32', window: 8, sequences: one(3, 30, { keyStart: 21 }) },
  { name: 'window, few queries into a second span', ...LONG, window: 100, sequences: one(4, 254) },
  { name: 'sink logits and bias, few queries', ...LONG, sinkLogits: true, bias: [99, -98], sequences: one(3, 300) },
  { name: 'window over long rows', ...LONG, window: 100, sequences: one(3, 700) },
  { name: 'sink logits', ...GQA, stored: 'f32', sinkLogits: true, sequences: one(5, 7) },
  { name: 'sink logits, one long row', ...LONG, sinkLogits: true, sequences: one(1, 900) },
  { name: 'sink logits and window', ...GQA, stored: 'f16', sinkLogits: true, window: 6, sequences: one(3, 16) },
  { name: 'bias, before', ...GQA, stored: 'f32', bias: [6, -5], sequences: one(9, 7) },
  { name: 'bias, one long row', ...LONG, bias: [129, -128], sequences: one(1, 900) },
  { name: 'bias, many long rows', ...LONG, bias: [301, -300], sequences: one(70, 500) },
  { name: 'bias, both sides', ...GQA, stored: 'f16', bias: [41, -20 - 33], sequences: one(33, 33, { keys: 33 }) },
  { name: 'bias of one column', ...GQA, stored: 'bf16', bias: [1, 3], sequences: one(3, 16) },
  { name: 'bias, all to one side', ...GQA, stored: 'f32', bias: [4, 100], sequences: one(3, 16) },
  { name: 'bias, ragged', ...GQA, stored: 'f32', bias: [9, -8], sequences: RAGGED },
  {
    name: 'bias, window and sink logits',
    ...GQA,
    stored: 'f16',
    bias: [7, -6],
    window: 9,
    sinkLogits: true,
    sequences: one(4, 20),
  },
  { name: 'bias and scores', ...GQA, stored: 'f32', bias: [5, -4], scores: 0, sequences: one(5, 6) },
  { name: 'future keys hold NaN', ...GQA, stored: 'f32', sequences: one(3, 4, { keys: 12 }) },
  { name: 'future keys, absorbed', kind: 'absorbed', ...MLA, stored: 'f16', sequences: one(2, 1, { keys: 40 }) },
  { name: 'queries behind all keys', ...GQA, stored: 'f32', sequences: one(4, 30, { keys: 21 }) },
  { name: 'one query behind all keys', ...GQA, stored: 'bf16', sequences: one(1, 50, { keys: 37 }) },
  { name: 'no keys at all', ...GQA, stored: 'f32', sequences: one(2, 5, { keyStart: 5, keys: 0 }) },
  { name: 'only later keys', ...GQA, stored: 'f32', sequences: one(2, 3, { keyStart: 4, keys: 6 }) },
  {
    name: 'no keys but sink logits',
    ...GQA,
    stored: 'f32',
    sinkLogits: true,
    sequences: one(2, 3, { keyStart: 5, keys: 2 }),
  },
  { name: 'no query', ...GQA, stored: 'f16', sequences: one(0, 7) },
  { name: 'no sequence', ...GQA, stored: 'f16', sequences: [] },
]

const LONG_RAGGED: readonly AttentionSequence[] = [
  { queries: 3, position: 1022 },
  { queries: 1, position: 511 },
  { queries: 5, position: 0 },
  { queries: 1, position: 1500, keyStart: 1025 },
]

const MANY: readonly AttentionSequence[] = Array.from({ length: 40 }, (_, i) => ({ queries: i % 3, position: 7 * i }))

const others: readonly AttentionSpec[] = [
  { name: 'many sequences', kind: 'joint', ...MLA, stored: 'f16', blockTokens: 8, sequences: MANY },
  {
    name: 'many heads on one row',
    kind: 'joint',
    heads: 130,
    width: 17,
    rope: 4,
    stored: 'bf16',
    sequences: one(3, 30),
  },
  {
    name: 'many heads, three groups',
    kind: 'grouped',
    heads: 96,
    groups: 3,
    width: 8,
    stored: 'f32',
    sequences: one(2, 9),
  },
  { name: 'many queries of one head', kind: 'grouped', heads: 1, width: 8, stored: 'f32', sequences: one(150, 20) },
  { name: 'ragged and long', ...LONG, sequences: LONG_RAGGED },
  { name: 'ragged and long, joint', kind: 'joint', ...MLA, stored: 'f16', sequences: LONG_RAGGED },
  { name: 'queries on both sides of 512 keys', ...LONG, sequences: one(5, 509) },
  { name: 'keys from 512 on', ...LONG, sequences: one(2, 600, { keyStart: 512 }) },
  { name: 'ragged GQA', ...GQA, stored: 'f16', blockTokens: 5, sequences: RAGGED },
  { name: 'ragged MLA', kind: 'joint', ...MLA, stored: 'bf16', blockTokens: 4, sequences: RAGGED },
  { name: 'ragged MLA, window', kind: 'absorbed', ...MLA, stored: 'f32', window: 7, sequences: RAGGED },
  { name: 'plain tensors', ...GQA, stored: 'f32', plain: true, sequences: one(5, 6) },
  { name: 'plain tensors, joint', kind: 'joint', ...MLA, stored: 'f16', plain: true, sequences: one(1, 50) },
  { name: 'carry', ...GQA, stored: 'f32', carry: true, sequences: one(5, 40, { keyStart: 16, keys: 14 }) },
  {
    name: 'carry, absorbed',
    kind: 'joint',
    ...MLA,
    stored: 'f16',
    carry: true,
    sequences: one(1, 40, { keyStart: 16, keys: 8 }),
  },
  {
    name: 'carry, nothing new to see',
    ...GQA,
    stored: 'f32',
    carry: true,
    sequences: one(3, 4, { keyStart: 8, keys: 6 }),
  },
  {
    name: 'carry, expanded',
    kind: 'expanded',
    heads: 3,
    width: 9,
    rope: 4,
    value: 11,
    stored: 'contiguous',
    carry: true,
    sequences: one(4, 30, { keyStart: 10, keys: 9 }),
  },
  { name: 'carry, many keys', ...LONG, carry: true, sequences: one(2, 900, { keyStart: 100, keys: 500 }) },
  { name: 'scores', ...GQA, stored: 'f32', scores: 0, sequences: one(5, 6) },
  { name: 'scores of a window', ...GQA, stored: 'f16', scores: 3, window: 4, sequences: one(4, 9, { keyStart: 4 }) },
  { name: 'scores of later keys only', kind: 'joint', ...MLA, stored: 'f32', scores: -5, sequences: one(3, 8) },
  { name: 'scores of a long row', ...LONG, scores: 0, sequences: one(1, 600) },
  { name: 'scores behind all keys', ...GQA, stored: 'f32', scores: 1, sequences: one(3, 20, { keys: 12 }) },
  { name: 'scores of size 20', ...GQA, stored: 'f32', large: 10, tolerance: 'attention spread', sequences: one(4, 40) },
  {
    name: 'scores of thousands',
    ...GQA,
    stored: 'f32',
    large: 1000,
    tolerance: 'attention large',
    sequences: one(4, 12),
  },
  {
    name: 'V2-Lite shape',
    kind: 'joint',
    heads: 16,
    width: 512,
    rope: 64,
    stored: 'bf16',
    blockTokens: 16,
    sequences: one(2, 70),
  },
]

export const attentionCases: readonly ConformanceCase[] = [
  ...everyStore,
  ...scaled,
  ...masks,
  ...others,
  ...selections,
  ...scaledSelections,
].map(spec => ({
  op: 'attention',
  name: `${spec.name}, ${spec.storedSecond ? `${spec.stored}/${spec.storedSecond}` : spec.stored}`,
  ...(spec.tolerance && { tolerance: spec.tolerance }),
  record: lab => recordAttention(lab, spec),
}))
