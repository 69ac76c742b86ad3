/** When a chat is written to its file, and under which name. */
import { rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { makeFolder } from '../../../src/for-apps.ts'
import type { Message } from '../../../src/index.ts'
import { CliError, UsageError } from '../exit.ts'
import { note } from '../output/stdout.ts'
import { type ChatFile, type ChatNotes, chatPath } from './chat-files.ts'
import type { Conversation } from './conversation.ts'

export interface KeeperOptions {
  /** The folder of all chats. */
  readonly folder: string
  readonly model: string
  readonly source: string
  /** Default: the time of the first message. */
  readonly name?: string
  /** The chat that is resumed. */
  readonly resumed?: ChatFile
}

/**
 * Saves a chat after every question and every answer, each time whole or not at all, so that a killed program loses at
 * most the answer that it was writing. A failure to save is reported once, and the chat continues.
 */
export class ChatKeeper {
  readonly #options: KeeperOptions
  #name: string | null
  /** Modification time of the file as we know it; null: it does not exist. */
  #written: number | null = null
  #kept = ''
  #reported = false

  private constructor(options: KeeperOptions) {
    this.#options = options
    this.#name = options.resumed?.name ?? options.name ?? null
    this.#kept = JSON.stringify(options.resumed?.messages ?? [])
  }

  /** Throws UsageError if a chat of the given name exists already, or the name is invalid. */
  static async open(options: KeeperOptions): Promise<ChatKeeper> {
    const made = new ChatKeeper(options)
    if (options.resumed) await made.#noteTime()
    else if (options.name !== undefined && (await timeOf(made.#path(options.name))) !== null) {
      throw new UsageError(`there is a chat ${options.name} already; --resume ${options.name} goes on with it`)
    }
    return made
  }

  /** null before the first message if no name was given. */
  get name(): string | null {
    return this.#name
  }

  /** Saves the conversation and the current question. If the conversation is empty again, removes the file. */
  async keep(conversation: Conversation, question?: string): Promise<void> {
    const asked: Message[] = question === undefined ? [] : [{ role: 'user', content: question }]
    const messages = [...conversation.messages, ...asked]
    const text = JSON.stringify(messages)
    if (text === this.#kept) return
    try {
      if (!messages.some(m => m.role !== 'system')) return await this.#remove()
      this.#name = await this.#nameToWrite()
      const path = this.#path(this.#name)
      await makeFolder(dirname(path), { mode: 0o700 })
      const notes: ChatNotes = { source: this.#options.source, messages }
      // Without its rows: the cache folder has those.
      await conversation.session.save(path, { rows: false, notes })
      await this.#noteTime()
      this.#kept = text
    } catch (error) {
      if (!this.#reported) note(`this chat is not kept: ${(error as Error).message}`)
      this.#reported = true
    }
  }

  async #remove(): Promise<void> {
    if (this.#name === null || this.#written === null) return
    const path = this.#path(this.#name)
    // Another program has written the file since: leave it.
    if ((await timeOf(path)) === this.#written) await rm(path, { force: true })
    this.#written = null
    this.#kept = '[]'
  }

  /** Begins another chat; the previous file stays. */
  beginAnew(): void {
    this.#name = null
    this.#written = null
    this.#kept = '[]'
  }

  /** Throws CliError if there is a chat of that name. */
  async rename(name: string): Promise<void> {
    const to = this.#path(name)
    if (name !== this.#name && (await timeOf(to)) !== null) throw new CliError(`there is a chat ${name} already`)
    if (this.#name !== null && this.#written !== null) await rename(this.#path(this.#name), to)
    this.#name = name
    if (this.#written !== null) await this.#noteTime()
  }

  /** The chat's name, or another one if another program has written under it. */
  async #nameToWrite(): Promise<string> {
    const name = this.#name ?? timestamp(new Date())
    if ((await timeOf(this.#path(name))) === this.#written) return name
    let n = 2
    while ((await timeOf(this.#path(`${name}-${n}`))) !== null) n++
    if (this.#name !== null) note(`there is another chat ${name} now; this one is kept as ${name}-${n}`)
    this.#written = null
    return `${name}-${n}`
  }

  async #noteTime(): Promise<void> {
    this.#written = this.#name === null ? null : await timeOf(this.#path(this.#name))
  }

  #path(name: string): string {
    return chatPath(this.#options.folder, this.#options.model, name)
  }
}

async function timeOf(path: string): Promise<number | null> {
  return (await stat(path).catch(() => null))?.mtimeMs ?? null
}

/** `2026-11-22-101503`, in local time. */
function timestamp(date: Date): string {
  const part = (n: number) => String(n).padStart(2, '0')
  const day = `${date.getFullYear()}-${part(date.getMonth() + 1)}-${part(date.getDate())}`
  return `${day}-${part(date.getHours())}${part(date.getMinutes())}${part(date.getSeconds())}`
}
