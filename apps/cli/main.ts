#!/usr/bin/env node
/** The program: runs the command and prints every error in one place. */
import { CommanderError } from 'commander'
import { debugWanted, unknownVariables } from './environment.ts'
import { describeError, errorAsJson, exitCodeOf, isInterruption, UsageError } from './exit.ts'
import { colours } from './output/colour.ts'
import { note, outputFailure, watchOutputs } from './output/stdout.ts'
import { ownPackage } from './package.ts'
import { createProgram } from './program.ts'

watchOutputs()
// Unhandled errors end the program too, with a message like all others.
process.on('uncaughtException', error => {
  fail(error)
  process.exit()
})
const [, , ...args] = process.argv
const program = await createProgram(ownPackage().version, args)
try {
  if (args.length === 0) program.outputHelp()
  else {
    for (const warning of unknownVariables()) note(colours(process.stderr).yellow(warning))
    await program.parseAsync()
  }
} catch (error) {
  fail(error)
}
// commander prints help without checking whether the output could be written.
const unwritten = await outputFailure()
if (unwritten && !process.exitCode) fail(unwritten)

/** The one place where errors are printed. */
function fail(error: unknown): void {
  if (error instanceof CommanderError && error.exitCode === 0) return
  const reported = error instanceof CommanderError ? usageError(error) : error
  // After the ^C that a terminal shows, the shell's prompt should begin a new line.
  if (!isInterruption(reported)) note(messageFor(reported))
  else if (process.stderr.isTTY) note('')
  process.exitCode = exitCodeOf(reported)
}

function messageFor(error: unknown): string {
  const debug = args.includes('--debug') || debugWanted()
  return args.includes('--json') && !debug ? errorAsJson(error) : describeError(error, debug)
}

/** commander's message in our form, with a pointer to the help. */
function usageError({ code, message }: CommanderError): UsageError {
  const command = program.commands.find(c => args.includes(c.name()))
  const help = ['latentkit', ...(command ? [command.name()] : []), '--help'].join(' ')
  const met = code === 'commander.help' ? 'expected a command' : message.replace(/^error: /, '').replace(/\.$/, '')
  return new UsageError(`${met.replace(/\s*\(Did you mean (.*)\?\)$/, '; did you mean $1?')} (see ${help})`)
}
