/** `latentkit chats`: lists and removes saved chats. */
import type { Command } from 'commander'
import { type ChatFile, listChats, removeChats } from '../chat/chat-files.ts'
import { firstLine } from '../chat/messages.ts'
import { chatsFolder } from '../environment.ts'
import { UsageError } from '../exit.ts'
import { colours } from '../output/colour.ts'
import * as format from '../output/format.ts'
import { writeJson, writeView } from '../output/stdout.ts'
import { table } from '../output/table.ts'

interface Flags {
  json?: boolean
  all?: boolean
}

export function addChats(program: Command): void {
  const command = program
    .command('chats')
    .summary('chats that can be gone on with')
    .description('Lists and removes the chats that are kept; latentkit chat --resume NAME goes on with one.')
    .addHelpText(
      'after',
      `
Examples:
  $ latentkit chats ls
  $ latentkit chats rm 2026-11-22-101503`,
    )
  const add = (name: string, description: string) =>
    command.command(name).description(description).option('--json', 'one object instead')
  add('ls', 'one line per chat, the last used first').action((flags: Flags) => list(flags))
  add('rm', 'remove chats')
    .argument('[name...]', 'names, as ls shows them')
    .option('--all', 'all of them')
    .action((names: string[], flags: Flags) => remove(names, flags))
}

async function list(flags: Flags): Promise<void> {
  const folder = chatsFolder()
  const chats = await listChats(folder)
  if (flags.json) return writeJson({ folder, chats })
  if (chats.length === 0) return writeView(`No chat is kept in ${folder}`)
  const columns = ['name', 'model', 'messages', 'tokens', 'last used', 'begins'] as const
  const rows = chats.map(({ name, model, messages, tokens, savedAt }) => [
    name,
    model,
    format.integer(messages.length),
    format.integer(tokens),
    format.minute(savedAt),
    firstLine(messages.find(m => m.role === 'user')?.content ?? ''),
  ])
  const heads = columns.map((head, i) => ({ head, align: i === 2 || i === 3 ? ('right' as const) : ('left' as const) }))
  return writeView(table(heads, rows, { style: colours(process.stdout).bold }))
}

async function remove(names: readonly string[], flags: Flags): Promise<void> {
  if (names.length === 0 && !flags.all) throw new UsageError('name chats (see latentkit chats ls), or give --all')
  const chats = await listChats(chatsFolder())
  for (const name of names) {
    if (!chats.some(chat => chat.name === name)) throw new UsageError(`there is no chat ${JSON.stringify(name)}`)
  }
  const removed: readonly ChatFile[] = flags.all ? chats : chats.filter(chat => names.includes(chat.name))
  await removeChats(removed)
  if (flags.json) return writeJson({ removed })
  return writeView(`Removed ${format.plural(removed.length, 'chat')}`)
}
