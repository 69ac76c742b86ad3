// dist/man/latentkit.1: the program's own help as a page for `man`, made of the compiled command line.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
const compiled = name => import(pathToFileURL(path.join(root, 'dist', 'apps', 'cli', name)).href)
const { createProgram, EXIT_CODES } = await compiled('program.js')
const { VARIABLES } = await compiled('environment.js')
const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'))
const program = await createProgram(version, [])

/** A backslash, a dash, a line that begins with a point or an apostrophe and letters beyond ASCII are written otherwise. */
const plain = text =>
  text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^([.'])/gm, '\\&$1')
    .replace(/[^\p{ASCII}]/gu, c => `\\[u${c.codePointAt(0).toString(16).toUpperCase().padStart(4, '0')}]`)
const item = (head, text) => `.TP\n.B ${plain(head)}\n${plain(text.replace(/\s+/g, ' '))}`
/** Neighbouring rows without a head go on with the one before. */
const joined = rows =>
  rows.reduce((all, [head, text]) => {
    if (head === '') all.at(-1)[1] += ` ${text}`
    else all.push([head, text])
    return all
  }, [])

const helper = program.createHelp()
const options = command =>
  helper.visibleOptions(command).map(o => item(helper.optionTerm(o), helper.optionDescription(o)))
const commands = program.commands.flatMap(command => {
  const below = command.commands.map(sub => item(`${sub.name()} ${sub.usage()}`, sub.description()))
  return [
    `.SS ${plain(`latentkit ${command.name()} ${command.usage()}`)}`,
    plain(command.description()),
    ...helper.visibleArguments(command).map(a => item(a.name(), helper.argumentDescription(a))),
    ...below,
    ...options(command),
  ]
})
const page = [
  `.TH LATENTKIT 1 "" "latentkit ${version}" "latentkit"`,
  '.SH NAME',
  `latentkit \\- ${plain('run language models with Multi-head Latent Attention')}`,
  '.SH SYNOPSIS',
  '.B latentkit',
  plain('<command> [options]'),
  '.SH DESCRIPTION',
  plain(program.description()),
  '.SH OPTIONS',
  ...options(program),
  '.SH COMMANDS',
  ...commands,
  '.SH ENVIRONMENT',
  ...joined(VARIABLES).map(([name, text]) => item(name, text)),
  '.SH EXIT STATUS',
  ...joined(EXIT_CODES).map(([code, text]) => item(code, text)),
]
mkdirSync(path.join(root, 'dist', 'man'), { recursive: true })
writeFileSync(path.join(root, 'dist', 'man', 'latentkit.1'), `${page.join('\n')}\n`)
