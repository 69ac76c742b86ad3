#!/usr/bin/env node
import { CommanderError } from 'commander'
import { debugWanted, unknownVariables } from './environment.ts'
import { describeError, errorAsJson, exitCodeOf, isInterruption, UsageError } from './exit.ts'
import { colours } from './output/colour.ts'
import { note, outputFailure, watchOutputs } from './output/stdout.ts'
import { ownPackage } from './package.ts'
import { createProgram } from './program.ts'

watchOutputs()
// What nobody has waited for ends the program too, in one sentence like all else.
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
// Help is printed by commander, which does not look whether it arrives.
const unwritten = await outputFailure()
if (unwritten && !process.exitCode) fail(unwritten)

/** The one place where errors are printed. */
function fail(error: unknown): void {
  if (error instanceof CommanderError && error.exitCode === 0) return
  const told = error instanceof CommanderError ? usageError(error) : error
  // After the ^C that a terminal shows, its prompt should find a line of its own.
  if (!isInterruption(told)) note(said(told))
  else if (process.stderr.isTTY) note('')
  process.exitCode = exitCodeOf(told)
}

function said(error: unknown): string {
  const debug = args.includes('--debug') || debugWanted()
  return args.includes('--json') && !debug ? errorAsJson(error) : describeError(error, debug)
}

/** commander's sentence without its own punctuation, and where to read on. */
function usageError({ code, message }: CommanderError): UsageError {
  const command = program.commands.find(c => args.includes(c.name()))
  const help = ['latentkit', ...(command ? [command.name()] : []), '--help'].join(' ')
  const met = code === 'commander.help' ? 'expected a command' : message.replace(/^error: /, '').replace(/\.$/, '')
  return new UsageError(`${met.replace(/\s*\(Did you mean (.*)\?\)$/, '; did you mean $1?')} (see ${help})`)
}
