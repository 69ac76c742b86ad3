/** The folder of saved chats: `FOLDER/MODEL/NAME.chat`, each a session file with the conversation as its notes. */
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Message } from '../../../src/index.ts'
import { UsageError } from '../exit.ts'
import { note } from '../output/stdout.ts'
import { isConversation } from './messages.ts'

const SUFFIX = '.chat'

/** The notes of a chat's session file. */
export interface ChatNotes {
  /** The model argument: a folder or file, or a name on the hub. */
  readonly source: string
  readonly messages: readonly Message[]
}

export interface ChatFile extends ChatNotes {
  readonly name: string
  /** The model's name. */
  readonly model: string
  readonly path: string
  readonly savedAt: Date
  /** Number of tokens in the session. */
  readonly tokens: number
}

/** All chats, of one model or of all, most recently used first. Damaged ones are reported and left out. */
export async function listChats(folder: string, model?: string): Promise<ChatFile[]> {
  const folders = model === undefined ? await names(folder) : [folderNameOf(model)]
  const paths: string[] = []
  for (const subfolder of folders) {
    for (const file of await names(join(folder, subfolder)))
      if (file.endsWith(SUFFIX)) paths.push(join(folder, subfolder, file))
  }
  const chats = (await Promise.all(paths.map(readChat))).filter(chat => chat !== null)
  return chats.sort((a, b) => b.savedAt.getTime() - a.savedAt.getTime())
}

export async function removeChats(chats: readonly ChatFile[]): Promise<void> {
  for (const { path } of chats) await rm(path, { force: true })
}

/** The path of a chat. Throws UsageError for an invalid name. */
export function chatPath(folder: string, model: string, name: string): string {
  return join(folder, folderNameOf(model), checkName(name) + SUFFIX)
}

function checkName(name: string): string {
  if (/^[\p{L}\p{N}_][\p{L}\p{N} ._-]{0,79}$/u.test(name)) return name
  throw new UsageError(`${JSON.stringify(name)} is no name for a chat; expected letters, digits, spaces and . _ -`)
}

/** The folder name for a model. */
function folderNameOf(model: string): string {
  return model
    .replaceAll('/', '--')
    .replace(/[^\p{L}\p{N}._@+-]/gu, '-')
    .replace(/^\.+/, '')
}

async function readChat(path: string): Promise<ChatFile | null> {
  const { inspectSession } = await import('../../../src/tools.ts')
  try {
    const { notes, model, savedAt, tokens } = await inspectSession(path)
    const name = (path.split(/[/\\]/).at(-1) as string).slice(0, -SUFFIX.length)
    if (!isNotes(notes)) throw new Error(`${path} holds no chat`)
    return { ...notes, name, model, path, savedAt, tokens }
  } catch (error) {
    note(`chat left out: ${(error as Error).message}`)
    return null
  }
}

function isNotes(notes: unknown): notes is ChatNotes {
  if (typeof notes !== 'object' || notes === null || !('source' in notes) || !('messages' in notes)) return false
  return typeof notes.source === 'string' && isConversation(notes.messages)
}

function names(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => [])
}
