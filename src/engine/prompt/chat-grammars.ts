/** What answers of a chat are held to: grammars of calls, and of answers in their place. */
import {
  type ChatFormat,
  type ForcedText,
  forcedAnswer,
  forcedBegin,
  forcedText,
  looseParameters,
  type PromptEnd,
  writesKey,
} from '../../formats/index.ts'
import { SchemaError } from '../../grammar/errors.ts'
import { forcedGrammar } from '../../grammar/forced-grammar.ts'
import type { GrammarSource } from '../../grammar/matcher.ts'
import { areReadAtOnce, readSchema } from '../../grammar/schema/grammar.ts'
import { type HeldReader, readerOf, schemasOf } from '../../grammar/tool-schemas.ts'
import type { Parts } from '../load/load-parts.ts'
import type { Conversation } from '../types/chat.ts'

const MAX_GRAMMARS = 16

/** What of an answer with calls is held. */
export interface HeldCalls {
  readonly forced: ForcedText
  readonly options: NonNullable<Parameters<typeof forcedText>[2]>
  /** Tools that are not strict may be called with any JSON, where theirs cannot be held. */
  readonly loose: boolean
}

export class ChatGrammars {
  readonly #parts: Pick<Parts, 'tokenizer' | 'masks'>
  /** By what they are made of; the last used last. */
  readonly #kept = new Map<string, GrammarSource>()

  constructor(parts: Pick<Parts, 'tokenizer' | 'masks'>) {
    this.#parts = parts
  }

  /**
   * What the answer is held to after its reasoning, which stays free. Throws SchemaError, naming tool and keyword. With 'auto', what
   * cannot be held of a tool that is not strict is left out: its values are any JSON.
   */
  async ofCalls(
    { tools, output }: Conversation,
    format: ChatFormat,
    calls: HeldCalls,
    end: PromptEnd,
  ): Promise<GrammarSource> {
    // Beside a schema 'auto' is written as 'required', with another way out.
    const begun = format.channels ? end : 'none'
    const key = JSON.stringify([format.name, tools, calls.options, calls.loose, output, begun])
    const source = this.#kept.get(key) ?? (await this.#written(format, tools, calls, output, begun))
    this.#kept.delete(key)
    this.#kept.set(key, source)
    for (const [oldest] of this.#kept) if (this.#kept.size > MAX_GRAMMARS) this.#kept.delete(oldest)
    return source
  }

  /** What an answer without calls is held to; null: nothing. */
  ofAnswer({ output }: Conversation, format: ChatFormat, end: PromptEnd): GrammarSource | null {
    if (output === undefined || !format.channels || end === 'closed') return output ?? null
    const split = (text: string) => this.#parts.tokenizer.splitAtSpecial(text)
    const { reasoning, lead } = forcedBegin(format, end)
    return forcedGrammar({ ...forcedAnswer(format), reasoning }, { split, otherwise: output, lead })
  }

  async #written(
    format: ChatFormat,
    tools: Conversation['tools'],
    { forced: all, options, loose }: HeldCalls,
    output: GrammarSource | undefined,
    end: PromptEnd,
  ): Promise<GrammarSource> {
    const { tokenizer } = this.#parts
    const read = await this.#reader(all, loose && output !== undefined)
    const write = (some: Conversation['tools']) => {
      const forced = forcedText(format, some, options) as ForcedText
      const { reasoning, begin, lead } = forcedBegin(format, forced.free ? null : end)
      return forcedGrammar(
        { ...forced, reasoning, open: `${begin}${forced.open}` },
        {
          split: text => tokenizer.splitAtSpecial(text),
          triggered: forced.free,
          read,
          ...(loose && output && { otherwise: output, lead }),
        },
      )
    }
    try {
      return write(tools)
    } catch (error) {
      if (!(error instanceof SchemaError) || !loose) throw error
      return write(tools.map(tool => held(tool, format, () => write([tool]))))
    }
  }

  /** Reads the parameters of tools: in another thread where that may take long, as other texts wait for this one. */
  async #reader(forced: ForcedText, besides: boolean): Promise<HeldReader> {
    const schemas = schemasOf(forced, besides)
    const atOnce = areReadAtOnce(schemas.map(({ json }) => json))
    return atOnce ? readSchema : readerOf(schemas, await this.#parts.masks.readAll(schemas))
  }
}

/** The tool, or one whose values are any JSON, if what it asks for cannot be held. Throws SchemaError for a strict tool. */
function held(
  tool: Conversation['tools'][number],
  format: ChatFormat,
  write: () => void,
): Conversation['tools'][number] {
  try {
    write()
    return tool
  } catch (error) {
    if (!(error instanceof SchemaError) || tool.strict) throw error
    return { ...tool, parameters: looseParameters(tool, name => writesKey(format, name)) }
  }
}
