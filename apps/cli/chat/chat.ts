/** The loop of `latentkit chat`: reads a message or a slash command, answers it, repeats. */
import type { Engine } from '../../../src/index.ts'
import { follow } from '../answer.ts'
import { CliError, describeError, errorAsJson, OutputError, UsageError } from '../exit.ts'
import type { ToolKit, Tools } from '../options/tools.ts'
import { colours } from '../output/colour.ts'
import * as format from '../output/format.ts'
import { Progress } from '../output/progress.ts'
import { type Answer, statsLine } from '../output/stats.ts'
import { answerText, note, write } from '../output/stdout.ts'
import type { ChatControl } from './control.ts'
import type { Conversation } from './conversation.ts'
import type { ChatInput } from './input.ts'
import type { ChatKeeper } from './keeper.ts'
import { newConversation } from './new-conversation.ts'
import { roomFor } from './room.ts'
import type { Settings } from './settings.ts'
import { isSlashCommand, runSlashCommand } from './slash-commands.ts'

export interface ChatOptions {
  readonly conversation: Conversation
  /** null: the chat is not saved. */
  readonly keeper: ChatKeeper | null
  readonly input: ChatInput
  readonly settings: Settings
  /** What the model may call; null: nothing. */
  readonly kit: ToolKit | null
  /** The same with these tools in place of a file's. Throws UsageError. */
  readonly kitWith: (own: Tools | null) => ToolKit | null
  /** One line of JSON per answer instead of its text. */
  readonly json: boolean
  /** A person reads the output: show remarks. */
  readonly interactive: boolean
  /** When the context is full, continue without the oldest messages. */
  readonly rolls: boolean
  readonly debug: boolean
}

/** The loop of a chat: reads a message, answers it, repeats. */
export class Chat implements ChatControl {
  conversation: Conversation
  kit: ToolKit | null
  readonly settings: Settings
  readonly keeper: ChatKeeper | null
  readonly #engine: Engine
  readonly #options: ChatOptions
  #last: { readonly answer: Answer; readonly maxTokens: number | undefined } | null = null
  #attempt = 0
  #stopped = false
  #unanswered = false
  /** Whether the user was told that messages are left out. */
  #rolled = false

  constructor(engine: Engine, options: ChatOptions) {
    this.#engine = engine
    this.#options = options
    this.conversation = options.conversation
    this.kit = options.kit
    this.keeper = options.keeper
    this.settings = options.settings
  }

  /**
   * Runs until the input ends. Returns, for a chat whose input is a pipe: whether an answer was interrupted, and whether a
   * question failed.
   */
  async run(): Promise<{ readonly interrupted: boolean; readonly failed: boolean }> {
    const { input, interactive, debug } = this.#options
    for (;;) {
      const text = await input.read()
      if (text === null) break
      try {
        if (isSlashCommand(text)) {
          if (!(await runSlashCommand(this, text))) break
          await this.keeper?.keep(this.conversation)
        } else if (this.conversation.takesResult?.(text)) this.#awaitResult()
        else if (text.trim() !== '') await this.answer(text.replace(/^\/\//, '/'))
      } catch (error) {
        if (!isRecoverable(error)) throw error
        note(describeError(error, debug))
      }
      if (this.#stopped && !interactive) break
    }
    return { interrupted: this.#stopped && !interactive, failed: this.#unanswered && !interactive }
  }

  async answer(question: string, { again = false } = {}): Promise<void> {
    const { input, json, interactive, debug } = this.#options
    this.#attempt = again ? this.#attempt + 1 : 0
    const controller = new AbortController()
    input.onInterrupt = () => controller.abort()
    const options = this.settings.next(this.#attempt)
    await this.keeper?.keep(this.conversation, question)
    let failure: unknown = null
    let shown = ''
    const progress = new Progress()
    const show = async (text: string) => {
      progress.stop()
      shown += text
      if (!json) await write(answerText(text))
    }
    try {
      await this.#makeRoom(question, options.maxTokens)
      const { signal } = controller
      const generation = this.conversation.ask(question, { ...options, signal, onPromptProgress: progress.reading })
      const answer = await follow(generation, controller.signal, options.seed, show)
      this.conversation.answered(answer)
      this.#last = { answer, maxTokens: options.maxTokens }
      this.#stopped = answer.finishReason === 'aborted'
      if (json) await write(`${JSON.stringify(report(answer))}\n`)
    } catch (error) {
      // Remove the question that could not be answered.
      await this.conversation.takeBack()
      if (!isRecoverable(error)) throw error
      failure = error
    } finally {
      progress.stop()
      input.onInterrupt = () => {}
      if (!json && (shown !== '' || interactive) && !shown.endsWith('\n')) await write('\n')
      await this.keeper?.keep(this.conversation)
    }
    if (failure === null) return this.#remarkOnEnd()
    this.#unanswered = true
    if (json) await write(`${errorAsJson(failure)}\n`)
    else note(describeError(failure, debug))
  }

  async #makeRoom(question: string, maxTokens: number | undefined): Promise<void> {
    const { contextLength } = this.#engine.info
    if (!this.#options.rolls) return
    const made = await this.conversation.makeRoom(question, roomFor(contextLength, maxTokens ?? contextLength))
    if (!made || this.#rolled) return
    this.#rolled = true
    const full = `the context of ${format.integer(contextLength)} tokens is full: from here on the oldest messages are left out`
    note(colours(process.stderr).yellow(`${full} (/reset begins anew; --context N holds more, --no-roll ends instead)`))
  }

  useTools(own: Tools | null): void {
    const kit = this.#options.kitWith(own)
    const { session, messages, awaits } = this.conversation
    // Calls of earlier answers have a place where tools may be, also if there are none any more.
    const called = messages.some(message => message.role === 'tool' || 'toolCalls' in message)
    const shown = kit ?? (called ? { tools: {}, parallel: true } : null)
    this.conversation = newConversation(this.#engine, { session, messages, kit: shown, ...(awaits && { awaits }) })
    this.kit = kit
  }

  stats(): string {
    if (this.#last === null) return 'Nothing was answered yet.'
    return statsLine(this.#last.answer, this.conversation.session.cache, this.#engine.info, this.#last.maxTokens)
  }

  say(text: string): void {
    if (this.#options.interactive) note(colours(process.stderr).dim(text))
  }

  #awaitResult(): void {
    const [call] = this.conversation.awaits ?? []
    if (call) this.say(`(the next message is what ${call.name} gave)`)
  }

  #remarkOnEnd(): void {
    this.#awaitResult()
    const reason = this.#last?.answer.finishReason
    const { yellow } = colours(process.stderr)
    if (reason === 'aborted') this.say('(stopped)')
    if (reason === 'length' && this.settings.bound === 'chosen')
      this.say(`(ended after ${format.plural(this.#last?.maxTokens ?? 0, 'token')}; /max-tokens changes that)`)
    if (reason === 'length' && this.settings.bound === 'guard') {
      const tokens = format.integer(this.#last?.maxTokens ?? 0)
      note(yellow(`stopped after ${tokens} tokens; --max-tokens N, or /max-tokens N, allows more`))
    }
    if (reason === 'context') {
      const hint = this.#options.rolls ? '' : '; /reset begins anew, /undo goes one step back, --context N holds more'
      note(yellow(`the context is full, and the answer ends here${hint}`))
    }
  }
}

/** The fields of an answer in --json. */
function report({ text, tokenIds, finishReason, usage, timings, seed, reasoning, content, toolCalls }: Answer) {
  const read = toolCalls ? { reasoning, content, toolCalls } : {}
  return { text, ...read, tokenIds, finishReason, usage, timings, seed }
}

/** Whether the chat continues after the error: a wrong command, file or option, or a prompt that is too long. */
function isRecoverable(error: unknown): boolean {
  if (error instanceof OutputError) return false
  if (error instanceof CliError || error instanceof UsageError) return true
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return /^(commander\.|E[A-Z]+$)|^(bad_option|bad_schema|bad_grammar|bad_output|context_length|cache_full|bad_template)$/.test(
    code,
  )
}
