/**
 * Partial files: files and folders that this process has begun and not finished. They are removed when the process exits
 * or a signal ends it. A program with its own handler for the signal is left to finish in order.
 *
 * Only the main thread receives signals: other threads report their partial files to it (`reportPartialsTo`).
 */
import { rmSync } from 'node:fs'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
/** How long signals are still awaited after the last file: one that has come, but not been told yet, is lost with its listener. */
const LINGER_MS = 200

type Listener = (path: string, begun: boolean) => void

const partials = new Set<string>()
let report: Listener | null = null
let isListening = false
let leaving: NodeJS.Timeout | undefined

/** Call before the file or folder is created. */
export function beginPartial(path: string): void {
  if (report) report(path, true)
  else {
    clearTimeout(leaving)
    listen(true)
    partials.add(path)
  }
}

/** Call when it is complete and renamed, or removed. */
export function endPartial(path: string): void {
  if (report) report(path, false)
  else if (partials.delete(path) && partials.size === 0) leaving = setTimeout(listen, LINGER_MS, false).unref()
}

/** Removes what a thread left behind when it ended. */
export function discardPartial(path: string): void {
  removeNow(path)
  endPartial(path)
}

/** For worker threads: from now on `listener` keeps the list. */
export function reportPartialsTo(listener: Listener): void {
  report = listener
}

function listen(on: boolean): void {
  if (isListening === on) return
  isListening = on
  const change = on ? 'on' : 'off'
  for (const signal of SIGNALS) process[change](signal, interrupted)
  process[change]('exit', removeAll)
}

function interrupted(signal: NodeJS.Signals): void {
  if (process.listenerCount(signal) > 1) return
  // Reports from threads may still be queued: receive them first.
  setImmediate(() => {
    removeAll()
    listen(false)
    process.kill(process.pid, signal)
  })
}

function removeAll(): void {
  for (const path of partials) removeNow(path)
}

function removeNow(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true })
  } catch {}
}
