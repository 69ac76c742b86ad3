import type { CallShape, Capabilities } from './capabilities.ts'
import type { Render, RenderOptions, TemplateMessage, TemplateTool } from './render.ts'

/** Texts that no template has. Letters and digits only, so that none of them is escaped or trimmed. */
const SYSTEM = 'sentinelSystem7'
const USER = 'sentinelUser7'
const SECOND = 'sentinelSecond7'
const ANSWER = 'sentinelAnswer7'
const RESULT = 'sentinelResult7'
const VALUE = 'sentinelValue7'
const OTHER = 'sentinelOther7'
const THOUGHT = 'sentinelThought7'
const TOOL = 'sentinelTool7'
const ABOUT = 'sentinelAbout7'
/** Nine letters and digits: Mistral's templates accept no other ids. */
const IDS = ['idOneOne1', 'idTwoTwo2'] as const
/** As other families and clients have them. */
const LONG_ID = 'functions.sentinelTool7:0'

const TOOLS: readonly TemplateTool[] = [
  {
    type: 'function',
    function: {
      name: TOOL,
      description: ABOUT,
      parameters: {
        type: 'object',
        properties: { word: { type: 'string', description: 'a word' } },
        required: ['word'],
      },
    },
  },
]

const SHAPES: readonly CallShape[] = [
  { content: '', arguments: 'object' },
  { content: null, arguments: 'object' },
  { content: '', arguments: 'text' },
  { content: null, arguments: 'text' },
]

/** Finds out by rendering what a chat template accepts and keeps. Never throws. */
export function probe(render: Render): Capabilities {
  const probes = new Probes(render)
  const { text, parts } = probes.contents()
  if (!text && !parts) return NOTHING
  const tools = probes.tools()
  const calls = probes.calls()
  return {
    plain: true,
    text,
    parts,
    system: probes.system(calls.results ? calls.calls : null),
    lateSystem: probes.keeps(
      [message('system', OTHER), user(USER), message('assistant', ANSWER), message('system', SYSTEM), user(SECOND)],
      [OTHER, USER, ANSWER, SYSTEM, SECOND],
    ),
    developer: probes.keeps([message('developer', SYSTEM), user(USER)], [SYSTEM, USER]),
    repeatedUser: probes.keeps([user(USER), user(SECOND)], [USER, SECOND]),
    tools,
    ...calls,
    ...probes.reasoning(calls.calls),
  }
}

const NOTHING: Capabilities = {
  plain: false,
  text: false,
  parts: false,
  system: false,
  lateSystem: false,
  developer: false,
  repeatedUser: false,
  tools: false,
  calls: null,
  contentWithCalls: false,
  severalCalls: false,
  callIds: false,
  shortIds: false,
  results: false,
  looseResults: false,
  reasoning: null,
  keepsReasoning: false,
  reasoningSwitch: null,
}

function message(role: string, content: TemplateMessage['content']): TemplateMessage {
  return { role, content }
}

const user = (content: string) => message('user', content)

function calling(shape: CallShape, values: readonly string[], content: string | null = shape.content): TemplateMessage {
  const calls = values.map((word, i) => ({
    id: IDS[i] as string,
    type: 'function' as const,
    function: { name: TOOL, arguments: shape.arguments === 'object' ? { word } : JSON.stringify({ word }) },
  }))
  return { role: 'assistant', content, tool_calls: calls }
}

function result(index: number, content: string): TemplateMessage {
  return { role: 'tool', content, tool_call_id: IDS[index] as string, name: TOOL }
}

/** Some templates show reasoning only while it is on. */
const THINKING = { enable_thinking: true, thinking: true }

class Probes {
  readonly #render: Render
  #asParts = false
  /** Tools that every text has: none, or those without which the template does not render. */
  #always: RenderOptions = {}
  /** The same for texts with calls: tools, if the template shows them. */
  #withCalls: RenderOptions = {}

  constructor(render: Render) {
    this.#render = render
  }

  /** The text, or null if the template refuses. */
  text(messages: readonly TemplateMessage[], options: RenderOptions = {}): string | null {
    const shown = this.#asParts ? messages.map(inParts) : messages
    try {
      return this.#render(shown, { addGenerationPrompt: true, ...this.#always, ...options })
    } catch {
      return null
    }
  }

  keeps(messages: readonly TemplateMessage[], sentinels: readonly string[], options: RenderOptions = {}): boolean {
    const text = this.text(messages, options)
    return text !== null && sentinels.every(sentinel => text.includes(sentinel))
  }

  contents(): { text: boolean; parts: boolean } {
    if (this.text([user(USER)]) === null) this.#always = { tools: TOOLS }
    const text = this.keeps([user(USER)], [USER])
    const joined = this.text([message('user', [part(USER), part(SECOND)])])
    const parts = joined?.includes(USER) === true && joined.includes(SECOND) && !/["']type["']/.test(joined)
    this.#asParts = !text && parts
    return { text, parts }
  }

  /** Some templates show it only while a question is the last message. */
  system(shape: CallShape | null): boolean {
    const first = [message('system', SYSTEM), user(USER)]
    if (!this.keeps(first, [SYSTEM, USER])) return false
    return (
      shape === null || this.keeps([...first, calling(shape, [VALUE]), result(0, RESULT)], [SYSTEM], this.#withCalls)
    )
  }

  tools(): boolean {
    const shown = this.keeps([user(USER)], [USER, TOOL, ABOUT], { tools: TOOLS })
    if (shown) this.#withCalls = { tools: TOOLS }
    return shown
  }

  calls(): Pick<
    Capabilities,
    'calls' | 'contentWithCalls' | 'severalCalls' | 'callIds' | 'shortIds' | 'results' | 'looseResults'
  > {
    const kept = SHAPES.filter(shape => this.#keepsCall([user(USER), calling(shape, [VALUE])]))
    const whole = kept.filter(shape => this.#keepsResult(calling(shape, [VALUE])))
    const shape = this.#shortest(whole.length > 0 ? whole : kept)
    const loose = [user(USER), message('assistant', ANSWER), result(0, RESULT)]
    const looseResults =
      this.keeps(loose, [USER, ANSWER, RESULT], this.#withCalls) &&
      this.keeps([...loose, message('assistant', OTHER), user(SECOND)], [RESULT, OTHER, SECOND], this.#withCalls)
    if (shape === null) {
      const none = { contentWithCalls: false, severalCalls: false, callIds: false, shortIds: false }
      return { calls: null, ...none, results: looseResults, looseResults }
    }
    const first = [user(USER), calling(shape, [VALUE, OTHER])]
    const both = whole.length > 0 ? [...first, result(0, RESULT), result(1, SECOND)] : first
    const shown =
      whole.length > 0 ? this.text([user(USER), calling(shape, [VALUE]), result(0, RESULT)], this.#withCalls) : null
    return {
      calls: shape,
      contentWithCalls: this.keeps([user(USER), calling(shape, [VALUE], ANSWER)], [VALUE, ANSWER], this.#withCalls),
      severalCalls: this.keeps(
        both,
        whole.length > 0 ? [VALUE, OTHER, RESULT, SECOND] : [VALUE, OTHER],
        this.#withCalls,
      ),
      callIds: shown?.includes(IDS[0]) ?? false,
      shortIds: this.#refusesIds(calling(shape, [VALUE])),
      results: whole.length > 0,
      looseResults,
    }
  }

  #refusesIds(call: TemplateMessage): boolean {
    const calls = call.tool_calls?.map(one => ({ ...one, id: LONG_ID })) ?? []
    return this.text([user(USER), { ...call, tool_calls: calls }], this.#withCalls) === null
  }

  /** Of the shapes with the first one's arguments: some templates write a turn without text, or `None`, beside the calls. */
  #shortest(shapes: readonly CallShape[]): CallShape | null {
    const length = (shape: CallShape) => this.text([user(USER), calling(shape, [VALUE])], this.#withCalls)?.length ?? 0
    const alike = shapes.filter(shape => shape.arguments === shapes[0]?.arguments)
    return alike.toSorted((a, b) => length(a) - length(b))[0] ?? null
  }

  reasoning(shape: CallShape | null): Pick<Capabilities, 'reasoning' | 'keepsReasoning' | 'reasoningSwitch'> {
    const fields = ['reasoning_content', 'reasoning', 'thinking'] as const
    const thinking = { variables: THINKING }
    const answer = (field: string): TemplateMessage => ({ role: 'assistant', content: ANSWER, [field]: THOUGHT })
    const earlier = (field: string) =>
      this.keeps([user(USER), answer(field), user(SECOND)], [ANSWER, THOUGHT], thinking)
    const last = (field: string) =>
      this.keeps([user(USER), answer(field)], [ANSWER, THOUGHT], { ...thinking, addGenerationPrompt: false })
    const called = (field: string) => {
      if (shape === null) return false
      const call = { ...calling(shape, [VALUE]), [field]: THOUGHT }
      return this.keeps([user(USER), call, result(0, RESULT)], [VALUE, THOUGHT], { ...this.#withCalls, ...thinking })
    }
    const field = fields.find(name => earlier(name) || last(name) || called(name)) ?? null
    const switches = (['enable_thinking', 'thinking'] as const).find(
      name =>
        this.text([user(USER)], { variables: { [name]: true } }) !==
        this.text([user(USER)], { variables: { [name]: false } }),
    )
    return { reasoning: field, keepsReasoning: field !== null && earlier(field), reasoningSwitch: switches ?? null }
  }

  /** Arguments that were JSON already are not encoded again. */
  #keepsCall(messages: readonly TemplateMessage[]): boolean {
    const text = this.text(messages, this.#withCalls)
    if (text === null) return false
    return text.includes(USER) && text.includes(VALUE) && !text.includes('\\"word')
  }

  #keepsResult(call: TemplateMessage): boolean {
    return (
      this.#keepsCall([user(USER), call, result(0, RESULT)]) &&
      this.keeps([user(USER), call, result(0, RESULT)], [RESULT], this.#withCalls)
    )
  }
}

function part(text: string): { readonly type: 'text'; readonly text: string } {
  return { type: 'text', text }
}

function inParts(given: TemplateMessage): TemplateMessage {
  return typeof given.content === 'string' ? { ...given, content: [part(given.content)] } : given
}
