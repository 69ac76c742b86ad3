/** Slash commands (`/help` and others): input for the program instead of the model. */
import { stat, writeFile } from 'node:fs/promises'
import { nearest } from '../../../src/for-apps.ts'
import type { JsonSchema, Message } from '../../../src/index.ts'
import { CliError } from '../exit.ts'
import { toOutput } from '../options/output.ts'
import { toolsByName, toTools } from '../options/tools.ts'
import { colours } from '../output/colour.ts'
import { note } from '../output/stdout.ts'
import { pairs } from '../output/table.ts'
import { readTextFile } from '../text-input.ts'
import type { ChatControl } from './control.ts'
import { firstLine, isConversation, transcript } from './messages.ts'
import { SETTING_NAMES } from './settings.ts'

interface SlashCommand {
  readonly names: readonly [string, ...string[]]
  readonly argument?: string
  readonly help: string
  /** Returns whether the chat continues. */
  run(chat: ChatControl, argument: string): Promise<boolean> | boolean
}

const COMMANDS: readonly SlashCommand[] = [
  {
    names: ['help', '?'],
    help: 'this list',
    run: () => {
      note(helpText())
      return true
    },
  },
  {
    names: ['reset', 'clear', 'new'],
    help: 'begin another conversation, with the same system message',
    run: async chat => {
      await chat.conversation.reset()
      chat.keeper?.beginAnew()
      chat.say('Forgotten.')
      return true
    },
  },
  {
    names: ['system'],
    argument: '[text|none]',
    help: 'show or set the system message; the conversation stays',
    run: (chat, text) => {
      const { conversation } = chat
      if (!conversation.templated) throw new CliError('without a chat template there is no place for a system message')
      if (text !== '') conversation.setSystem(text === 'none' ? null : text)
      const system = conversation.messages.find(m => m.role === 'system')
      chat.say(system?.content ?? 'There is no system message.')
      return true
    },
  },
  {
    names: ['tools'],
    argument: '[FILE|none]',
    help: 'show the tools that the model may call, or take those of a file; none: no more of a file',
    run: async (chat, file) => {
      if (!chat.conversation.templated) throw new CliError('without a chat template there is no place for tools')
      if (file !== '') chat.useTools(file === 'none' ? null : await toTools({ tools: file, parallel: true }))
      const tools = Object.entries(toolsByName(chat.kit?.tools ?? {}))
      const rows = tools.map(([name, tool]): [string, string] => [name, tool.description ?? ''])
      note(rows.length === 0 ? 'The model has no tools.' : pairs(rows, text => text, process.stderr.columns))
      return true
    },
  },
  {
    names: ['schema'],
    argument: '[FILE|none]',
    help: 'show what answers are held to, or hold them to the JSON schema of a file; none: they are free',
    run: async ({ settings }, file) => {
      if (file === 'none') settings.holdTo(null)
      else if (file !== '') settings.holdTo((await toOutput({ schema: file })).schema as JsonSchema, file)
      note(settings.form === null ? 'Answers are free.' : `Answers are held to ${settings.form}.`)
      return true
    },
  },
  {
    names: ['retry', 'regenerate'],
    help: 'answer the last message again, with another seed',
    run: async chat => {
      const question = await chat.conversation.takeBack()
      if (question === undefined) throw new CliError('there is nothing to answer again')
      await chat.answer(question, { again: true })
      return true
    },
  },
  {
    names: ['undo'],
    help: 'take back the last message and its answer',
    run: async chat => {
      const question = await chat.conversation.takeBack()
      chat.say(question === undefined ? 'There is nothing to take back.' : `Taken back: ${firstLine(question)}`)
      return true
    },
  },
  {
    names: ['history'],
    help: 'the conversation so far',
    run: chat => {
      note(transcript(chat.conversation.messages) || 'Nothing was said yet.')
      return true
    },
  },
  {
    names: ['save', 'save-transcript'],
    argument: 'FILE',
    help: 'write the conversation: messages as JSON if FILE ends in .json, else text',
    run: async (chat, file) => {
      if (file === '') throw new CliError('/save needs the name of a file')
      const { messages } = chat.conversation
      const text = file.endsWith('.json') ? JSON.stringify(messages, null, 2) : transcript(messages)
      await writeText(file, `${text}\n`).catch((error: unknown) => unwritable(file, error))
      chat.say(`Written to ${file}.`)
      return true
    },
  },
  {
    names: ['load'],
    argument: 'FILE.json',
    help: 'go on from a saved conversation',
    run: async (chat, file) => {
      if (file === '') throw new CliError('/load needs the name of a file that /save has written as .json')
      const messages = parseMessages(new TextDecoder().decode(await readTextFile(file)), file)
      await chat.conversation.restore(messages)
      chat.keeper?.beginAnew()
      chat.say(`${messages.length} messages from ${file}.`)
      return true
    },
  },
  {
    names: ['name'],
    argument: '[name]',
    help: 'show or set the name under which this chat is kept',
    run: async (chat, name) => {
      const { keeper } = chat
      if (!keeper) throw new CliError('this chat is not kept; --name keeps one that is not on a terminal')
      if (name !== '') await keeper.rename(name)
      chat.say(keeper.name === null ? 'Nothing is kept yet.' : `--resume ${keeper.name} goes on with this chat.`)
      return true
    },
  },
  {
    names: ['stats'],
    help: 'speed of the last answer, size of the cache',
    run: chat => {
      note(chat.stats())
      return true
    },
  },
  {
    names: ['set'],
    argument: '[name value]',
    help: 'show all settings, or change one',
    run: (chat, argument) => {
      const [name = '', value = ''] = words(argument)
      if (name === '') note(SETTING_NAMES.map(n => chat.settings.show(n)).join('\n'))
      else if (SETTING_NAMES.includes(name)) change(chat, name, value)
      else throw new CliError(`there is no setting ${name}; expected one of ${SETTING_NAMES.join(', ')}`)
      return true
    },
  },
  ...SETTING_NAMES.map(
    (name): SlashCommand => ({
      names: [name],
      argument: '[value]',
      help: `show or set ${name}; "default" takes it back`,
      run: (chat, value) => {
        change(chat, name, value)
        return true
      },
    }),
  ),
  { names: ['exit', 'quit', 'bye'], help: 'leave', run: () => false },
]

/** Whether the text is a command. `//` at the beginning is a literal slash for the model. */
export function isSlashCommand(text: string): boolean {
  return /^\/(\?|[a-z-]+)(\s|$)/i.test(text)
}

/** Runs the command; returns false if the chat ends. Throws CliError. */
export async function runSlashCommand(chat: ChatControl, text: string): Promise<boolean> {
  const [, name = '', argument = ''] = /^\/(\S+)\s*([\s\S]*)$/.exec(text) ?? []
  const command = COMMANDS.find(c => c.names.includes(name.toLowerCase()))
  if (!command) {
    const meant = nearest(
      name,
      COMMANDS.flatMap(c => c.names),
    )
    throw new CliError(`there is no /${name}; ${meant ? `did you mean /${meant}?` : '/help lists what there is'}`)
  }
  return command.run(chat, argument.trim())
}

export function completions(start: string): string[] {
  if (!start.startsWith('/')) return []
  return COMMANDS.flatMap(c => c.names.map(n => `/${n}`)).filter(n => n.startsWith(start))
}

function helpText(): string {
  const settings = new Set(SETTING_NAMES)
  const rows = COMMANDS.filter(c => !settings.has(c.names[0])).map(({ names, argument, help }): [string, string] => {
    const others =
      names.length > 1
        ? ` (also ${names
            .slice(1)
            .map(n => `/${n}`)
            .join(', ')})`
        : ''
    return [`/${names[0]}${argument ? ` ${argument}` : ''}`, help + others]
  })
  const c = colours(process.stderr)
  return `${pairs(rows, c.cyan, process.stderr.columns)}
${SETTING_NAMES.map(n => c.cyan(`/${n}`)).join(' ')}
  show or set how answers are chosen, as in /temperature 0.5; "default" takes it back

A line that ends in \\ goes on in the next; """ begins and ends a text of several lines; pasted lines stay together.
Ctrl-C stops an answer. // at the beginning is a slash for the model.`
}

function change(chat: ChatControl, name: string, value: string): void {
  if (value !== '') chat.settings.set(name, value)
  chat.say(chat.settings.show(name))
}

/** Refuses pipes and the like: writing to a pipe without a reader would block for ever. */
async function writeText(file: string, text: string): Promise<void> {
  const there = await stat(file).catch(() => null)
  if (there && !there.isFile() && !there.isDirectory()) {
    throw new Error(`it is ${there.isFIFO() ? 'a pipe' : there.isSocket() ? 'a socket' : 'a device'}, not a file`)
  }
  await writeFile(file, text)
}

function unwritable(file: string, error: unknown): never {
  const { code, message } = error as NodeJS.ErrnoException
  const reasons: Readonly<Record<string, string>> = {
    ENOENT: 'its folder is not there',
    EISDIR: 'it is a folder',
    EACCES: 'permission denied',
    ENOSPC: 'the disk is full',
    ELOOP: 'its links go round in a circle',
  }
  throw new CliError(`${file} cannot be written: ${reasons[code ?? ''] ?? message}`)
}

function parseMessages(text: string, file: string): Message[] {
  let messages: unknown
  try {
    messages = JSON.parse(text)
  } catch {
    throw new CliError(`${file} is no JSON; expected what /save has written as .json`)
  }
  if (isConversation(messages)) return messages
  throw new CliError(`${file} holds no conversation; expected a list of {"role", "content"}`)
}

function words(text: string): string[] {
  return text.split(/\s+/).filter(Boolean)
}
