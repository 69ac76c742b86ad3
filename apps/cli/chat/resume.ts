/** Chooses the chat to resume, its model, and how to resume it. */
import { existsSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import { nearest } from '../../../src/for-apps.ts'
import type { Engine } from '../../../src/index.ts'
import { chatsFolder, defaultModel } from '../environment.ts'
import { UsageError } from '../exit.ts'
import { BUNDLED, looksLikeModel, type ModelArgument, modelArgument } from '../model-argument.ts'
import type { ToolKit } from '../options/tools.ts'
import { colours } from '../output/colour.ts'
import * as format from '../output/format.ts'
import { type ChatFile, listChats } from './chat-files.ts'
import type { Conversation } from './conversation.ts'
import { ChatKeeper } from './keeper.ts'
import { firstLine, transcript } from './messages.ts'
import { newConversation } from './new-conversation.ts'

export interface ChatFlags {
  /** A name, or true for the last one. */
  readonly resume?: string | true
  readonly name?: string
  readonly save: boolean
}

/** Error codes of a file that is whole, but for another model or too long for the requested context. */
const MISMATCHES: ReadonlySet<unknown> = new Set(['session_mismatch', 'context_length'])
/** Characters of a resumed conversation that are shown again. */
const SHOWN = 600

/**
 * The model to load and the chat to resume. With a named model, only its chats count; else the chat decides the model.
 * Throws UsageError if there is no such chat.
 */
export async function wantedChat(
  given: string | undefined,
  { resume }: ChatFlags,
): Promise<{ readonly model: ModelArgument; readonly resumed: ChatFile | null }> {
  if (resume === undefined) return { model: modelArgument(given), resumed: null }
  // `--resume ./my-model` names the model.
  const meansModel = given === undefined && resume !== true && resume.includes('/') && looksLikeModel(resume)
  const name = meansModel ? true : resume
  const named = (meansModel ? resume : given) ?? defaultModel()
  const folder = chatsFolder()
  const chats = await listChats(folder, named === undefined ? undefined : nameOf(modelArgument(named)))
  const resumed = name === true ? chats[0] : chosen(chats, name)
  if (!resumed) throw new UsageError(`no chat${named === undefined ? '' : ` with ${named}`} is kept in ${folder}`)
  return { model: modelArgument(named ?? resumed.source), resumed }
}

/** Resumes from the session's tokens if they fit this model, else from the messages. */
export async function resumeConversation(
  engine: Engine,
  { path, messages }: ChatFile,
  kit: ToolKit | null,
): Promise<Conversation> {
  const { contextLength } = engine.info
  const session = await engine.restore(path, { recompute: true, contextLength }).catch(error => {
    if (!(error instanceof Error && 'code' in error && MISMATCHES.has(error.code))) throw error
    return engine.session()
  })
  return newConversation(engine, { session, messages, kit })
}

/** null if the chat is not saved. A chat from a pipe is saved only if it has a name. */
export async function keeperOf(
  engine: Engine,
  model: ModelArgument,
  resumed: ChatFile | null,
  { name, save }: ChatFlags,
  interactive: boolean,
): Promise<ChatKeeper | null> {
  if (!save || (!interactive && name === undefined && !resumed)) return null
  const source = model.bundled ? BUNDLED : existsSync(model.source) ? resolve(model.source) : model.source
  return ChatKeeper.open({
    folder: chatsFolder(),
    model: engine.info.name,
    source,
    ...(name !== undefined && { name }),
    ...(resumed && name === undefined && { resumed }),
  })
}

/** A summary of the resumed chat: some lines for a person, else one line. */
export function recap({ name, savedAt, messages }: ChatFile, interactive: boolean): string {
  const c = colours(process.stderr)
  const count = format.plural(messages.length, 'message')
  const head = `${c.bold(name)}${c.dim(` · ${count} · ${format.minute(savedAt)} · /history shows all`)}`
  const unanswered =
    messages.at(-1)?.role === 'user' ? [c.yellow('the last message was not answered; /retry does')] : []
  if (!interactive) return [`going on with ${name}: ${count}`, ...unanswered].join('\n')
  const system = messages.filter(m => m.role === 'system').map(m => c.dim(`system: ${firstLine(m.content ?? '')}`))
  const last = messages.findLastIndex(m => m.role === 'user')
  const text = transcript(messages.slice(Math.max(last, 0)).filter(m => m.role !== 'system'))
  const shown = text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text
  return [head, ...system, shown, ...unanswered].join('\n')
}

/** Finds a chat by its full name. Throws UsageError if there is none, or several models have one. */
function chosen(chats: readonly ChatFile[], name: string): ChatFile | undefined {
  const found = chats.filter(chat => chat.name === name)
  if (found.length > 1) {
    const models = found.map(chat => chat.model).join(' and ')
    throw new UsageError(`there are chats ${name} with ${models}; name the model`)
  }
  if (found.length === 0 && chats.length > 0) {
    const meant = nearest(
      name,
      chats.map(chat => chat.name),
    )
    throw new UsageError(
      `there is no chat ${JSON.stringify(name)}; ${meant ? `did you mean ${meant}?` : 'latentkit chats ls lists them'}`,
    )
  }
  return found[0]
}

/** The name that the engine will give the model. */
function nameOf({ source }: ModelArgument): string {
  return existsSync(source) ? basename(resolve(source)) : source
}
