import { OptionError } from '../../errors.ts'
import { REASONING_MARKS } from '../../formats/table/reasoning-marks.ts'
import { show } from '../../options/show.ts'
import { BannedIdRule, FirstIdRule } from '../../sampling/banned-ids.ts'
import { BannedTexts, type TokenBytes } from '../../sampling/banned-texts.ts'
import { Dry } from '../../sampling/dry.ts'
import type { TokenRule } from '../../sampling/sampler.ts'
import { LeastTokens, ReasoningBudget, type ReasoningMarks } from '../../sampling/text-rules.ts'
import type { Tokenizer } from '../../tokenizer/tokenizer.ts'
import type { GenerationDefaults } from '../load/generation-defaults.ts'
import { findReasoningMarks } from '../load/reasoning-marks.ts'
import type { HostPromptOptions } from '../types/protocol.ts'

export interface RuleContext {
  readonly tokenizer: Tokenizer
  /** What the model's own files ban. */
  readonly defaults: Pick<GenerationDefaults, 'bannedIds'>
  /** What the text has to begin with; undefined: any id. */
  readonly firstId: number | undefined
  /** Tokens that end the text. */
  readonly eos: ReadonlySet<number>
  /** Ids of the prompt, and of what is before it. */
  readonly prompt: readonly number[]
  /** All ids so far that are in the context. */
  readonly ids: () => readonly number[]
}

/** What a prompt's options allow at each place of its text. Throws OptionError. */
export function tokenRules(
  options: HostPromptOptions,
  { tokenizer, defaults, firstId, eos, prompt, ids }: RuleContext,
): TokenRule[] {
  const { dry, minTokens = 0, bannedTexts = [], thinkingBudget, skipSpecialTokens = true } = options
  const rules: TokenRule[] = []
  if (firstId !== undefined) rules.push(new FirstIdRule(firstId))
  if (defaults.bannedIds) rules.push(new BannedIdRule(defaults.bannedIds, prompt))
  if (minTokens > 0) rules.push(new LeastTokens(minTokens, eos))
  const bytes = () => tokenBytes(tokenizer, skipSpecialTokens)
  if (bannedTexts.length > 0) rules.push(new BannedTexts(bannedTexts, bytes(), prompt))
  if (dry && dry.multiplier > 0) rules.push(new Dry(dry, ids, prompt, bytes()))
  if (thinkingBudget !== undefined) rules.push(new ReasoningBudget(thinkingBudget, reasoningMarks(tokenizer), prompt))
  return rules
}

/** The bias by ids. Throws OptionError for a text that is not one token. */
export function biasOf({ logitBias }: HostPromptOptions, tokenizer: Tokenizer): { logitBias?: Record<number, number> } {
  if (logitBias === undefined) return {}
  const byId: Record<number, number> = {}
  for (const [key, bias] of Object.entries(logitBias)) {
    const ids = /^\d+$/.test(key) ? [Number(key)] : tokenizer.encode(key, { addSpecialTokens: false })
    const [id] = ids
    if (id === undefined || ids.length > 1) {
      throw new OptionError(
        `logitBias has the text ${show(key)}, which is ${ids.length} tokens; expected one token. Give ids, or bannedTexts ` +
          'for a text that must not appear',
      )
    }
    byId[id] = (byId[id] ?? 0) + bias
  }
  return { logitBias: byId }
}

/** By tokenizer, with and without its special tokens: a vocabulary takes a while. */
const TABLES = new WeakMap<Tokenizer, Map<boolean, TokenBytes>>()

/** What each token adds to the text that is shown. */
function tokenBytes(tokenizer: Tokenizer, skipSpecialTokens: boolean): TokenBytes {
  const tables = TABLES.get(tokenizer) ?? new Map<boolean, TokenBytes>()
  TABLES.set(tokenizer, tables)
  const known = tables.get(skipSpecialTokens)
  if (known) return known
  const ids = Array.from({ length: tokenizer.vocabSize }, (_, id) => id)
  const parts = ids.map(id =>
    skipSpecialTokens && tokenizer.isSpecial(id) ? new Uint8Array(0) : tokenizer.tokenBytes(id),
  )
  const starts = new Int32Array(parts.length + 1)
  for (const [id, part] of parts.entries()) starts[id + 1] = starts[id]! + part.length
  const bytes = new Uint8Array(starts[parts.length]!)
  for (const [id, part] of parts.entries()) bytes.set(part, starts[id]!)
  const made = { bytes, starts }
  tables.set(skipSpecialTokens, made)
  return made
}

/** Throws OptionError. */
function reasoningMarks(tokenizer: Tokenizer): ReasoningMarks {
  const found = findReasoningMarks(tokenizer)
  if (!found) {
    throw new OptionError(
      'thinkingBudget was given, but the model marks no reasoning: neither its vocabulary nor its chat template has ' +
        `${REASONING_MARKS.map(({ begin }) => begin).join(', ')}. Leave the option out, or use maxTokens`,
    )
  }
  return found
}
