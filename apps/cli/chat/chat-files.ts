/** The folder of chats: `FOLDER/MODEL/NAME.chat`, each a session's file with the conversation as its notes. */
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Message } from '../../../src/index.ts'
import { UsageError } from '../exit.ts'
import { note } from '../output/stdout.ts'
import { isConversation } from './messages.ts'

const SUFFIX = '.chat'

/** What is kept beside the session. */
export interface ChatNotes {
  /** What the model was loaded by: a folder or file, or a name on the hub. */
  readonly source: string
  readonly messages: readonly Message[]
}

export interface ChatFile extends ChatNotes {
  readonly name: string
  /** What the model is called. */
  readonly model: string
  readonly path: string
  readonly savedAt: Date
  /** Of the session's history. */
  readonly tokens: number
}

/** All chats, of one model or of all, the last used first. Damaged ones are told and left out. */
export async function listChats(folder: string, model?: string): Promise<ChatFile[]> {
  const shelves = model === undefined ? await names(folder) : [shelfOf(model)]
  const paths: string[] = []
  for (const shelf of shelves) {
    for (const file of await names(join(folder, shelf)))
      if (file.endsWith(SUFFIX)) paths.push(join(folder, shelf, file))
  }
  const chats = (await Promise.all(paths.map(readChat))).filter(chat => chat !== null)
  return chats.sort((a, b) => b.savedAt.getTime() - a.savedAt.getTime())
}

export async function removeChats(chats: readonly ChatFile[]): Promise<void> {
  for (const { path } of chats) await rm(path, { force: true })
}

/** Where a chat of this name is kept. Throws UsageError for what is no name of a file. */
export function chatPath(folder: string, model: string, name: string): string {
  return join(folder, shelfOf(model), checkName(name) + SUFFIX)
}

export function checkName(name: string): string {
  if (/^[\p{L}\p{N}_][\p{L}\p{N} ._-]{0,79}$/u.test(name)) return name
  throw new UsageError(`${JSON.stringify(name)} is no name for a chat; expected letters, digits, spaces and . _ -`)
}

/** A folder's name for a model's. */
function shelfOf(model: string): string {
  return model
    .replaceAll('/', '--')
    .replace(/[^\p{L}\p{N}._@+-]/gu, '-')
    .replace(/^\.+/, '')
}

async function readChat(path: string): Promise<ChatFile | null> {
  const { inspectSession } = await import('../../../src/index.ts')
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
