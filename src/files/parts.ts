/**
 * Files and folders that this process has begun and that are not whole yet. A process that is ended by a signal, or by
 * itself, takes them with it. A program that listens to the signal itself is left to end its work in order.
 *
 * Signals reach the main thread only: other threads tell it of their parts (`tellPartsTo`).
 */
import { rmSync } from 'node:fs'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

const parts = new Set<string>()
let told: ((path: string, begun: boolean) => void) | null = null

/** To be called before the file or folder is made. */
export function beginPart(path: string): void {
  if (told) told(path, true)
  else {
    if (parts.size === 0) listen(true)
    parts.add(path)
  }
}

/** It is whole and has another name, or is gone. */
export function endPart(path: string): void {
  if (told) told(path, false)
  else if (parts.delete(path) && parts.size === 0) listen(false)
}

/** The thread that wrote it has ended. */
export function dropPart(path: string): void {
  removeNow(path)
  endPart(path)
}

/** In a thread: from now on another one keeps the list. */
export function tellPartsTo(listener: (path: string, begun: boolean) => void): void {
  told = listener
}

function listen(on: boolean): void {
  const change = on ? 'on' : 'off'
  for (const signal of SIGNALS) process[change](signal, interrupted)
  process[change]('exit', remove)
}

function interrupted(signal: NodeJS.Signals): void {
  if (process.listenerCount(signal) > 1) return
  // What threads have said of their parts is still to be heard.
  setImmediate(() => {
    remove()
    listen(false)
    process.kill(process.pid, signal)
  })
}

function remove(): void {
  for (const path of parts) removeNow(path)
}

function removeNow(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true })
  } catch {}
}
