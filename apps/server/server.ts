import { setMaxListeners } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { makeFolder, meantModel, PRIVATE_FOLDER, readOptions } from '../../src/for-apps.ts'
import { bundledModel, OptionError } from '../../src/index.ts'
import { DIALECTS } from './dialects.ts'
import { Failure } from './failure.ts'
import { createApp } from './http/app.ts'
import { type Listening, listen } from './http/listen.ts'
import { Log } from './http/log.ts'
import { readTls } from './http/tls.ts'
import { Metrics } from './metrics/metrics.ts'
import { Models } from './models/models.ts'
import { namedModels } from './models/names.ts'
import { DEFAULTS, SERVER_OPTIONS, type ServerOptions, type Settings } from './options.ts'
import { Admission } from './service/admission.ts'
import { Service } from './service/service.ts'
import { SavedSlots } from './slots/saved-slots.ts'
import { Slots } from './slots/slots.ts'

/** The application without a socket, for tests and for other servers. */
export interface ServerApp {
  /** Answers a request of the web's standard. */
  fetch(request: Request): Response | Promise<Response>
  /** The same, from a path: `request('/health')`. */
  request(path: string, init?: RequestInit): Response | Promise<Response>
}

/** Where a server listens. */
export interface ServerAddress {
  /** The address. */
  readonly host: string
  /** The port, also where 0 was asked for. */
  readonly port: number
  /** Both, as clients write them. */
  readonly url: string
}

/** How long readers have for the errors of answers that a stop has ended. */
const LAST_WORDS_MS = 1000

/** A server that is ready to be started. */
export interface Server {
  /** Answers without a socket. */
  readonly app: ServerApp
  /** Names of its models; the first one is loaded at the start. */
  readonly models: readonly string[]
  /** Resolves when the first model is loaded; rejects with what loading throws. Nothing is answered before (503). */
  readonly ready: Promise<void>
  /** Listens at once, also while the first model loads. Rejects where the address cannot be listened on. */
  listen(): Promise<ServerAddress>
  /**
   * Takes no more requests, lets answers end within `stopDeadline` seconds, ends the others, and unloads all models. Again: ends them at
   * once.
   */
  close(): Promise<void>
}

/**
 * A server of models: OpenAI's API and others over HTTP (docs/server.md). The first model begins to load at once. Throws OptionError, and
 * CheckpointError for a model that is neither on this machine nor a name of the hub.
 */
export async function createServer(options: ServerOptions = {}): Promise<Server> {
  const { log: write = DEFAULTS.log, load = {}, ...plain } = options
  const given = readOptions<Omit<ServerOptions, 'log' | 'load'>>(SERVER_OPTIONS, 'createServer', plain)
  const settings: Settings = { ...DEFAULTS, ...given, log: write }
  const named = await namedModels(settings.models.length > 0 ? settings.models : [bundledModel()])
  // What is not on this machine is said before anything listens; what the hub has is known when it has been asked.
  for (const { source } of named) await meantModel(source)
  const tls = await readTls(settings)
  const log = new Log(write)
  const models = new Models({
    ...{ models: named, load, anyModel: settings.anyModel },
    ...{ memoryBytes: settings.memoryBytes, keepAlive: settings.keepAlive },
    told: (what, fields) => log.line('info', what, fields),
  })
  const admission = new Admission(settings)
  const { slotSavePath: folder } = settings
  if (folder !== undefined) await makeFolder(folder, { mode: PRIVATE_FOLDER }).catch(error => noFolder(folder, error))
  const metrics = new Metrics({
    ...{ running: () => admission.running, waiting: () => admission.waiting },
    cacheUse: () => models.cacheUse(settings.maxRunning),
  })
  const service = new Service({
    ...{ settings, models, admission, metrics, slots: new Slots(settings.maxRunning) },
    savedSlots: folder === undefined ? null : new SavedSlots(folder),
  })
  const ended = new AbortController()
  setMaxListeners(0, ended.signal)
  const app = createApp({
    ...{ settings, log, ended: ended.signal },
    dialects: DIALECTS.map(make => make(service)),
  })
  const ready = models.lease(null, ended.signal).then(lease => {
    lease.release()
    service.loaded()
  })
  // Who asks for it hears of it.
  ready.catch(() => {})

  let listening: Listening | null = null
  let closing: Promise<void> | null = null
  const isOver = new Promise<void>(resolve => ended.signal.addEventListener('abort', () => resolve(), { once: true }))
  const cut = () => ended.abort(new Failure('unavailable', 'The server is stopping.', { code: 'stopping' }))
  const close = async () => {
    const timer = setTimeout(cut, settings.stopDeadline * 1000)
    const closed = listening?.close()
    await service.drain()
    // What the engine has written may still be on its way, and so may the errors of answers that were ended.
    const answered = listening?.answered()
    await Promise.race([answered, isOver])
    clearTimeout(timer)
    cut()
    await Promise.race([answered, pause(LAST_WORDS_MS, null, { ref: false })])
    listening?.cut()
    await closed
    await models.dispose()
  }
  return {
    app: { fetch: request => app.fetch(request), request: (path, init) => app.request(path, init) },
    models: named.map(({ name }) => name),
    ready,
    listen: async () => {
      listening = await listen(app, settings.host, settings.port, tls)
      const { host, port, url } = listening
      log.line('info', 'listening', { url, models: named.map(({ name }) => name) })
      return { host, port, url }
    },
    close: () => {
      if (closing) cut()
      closing ??= close()
      return closing
    },
  }
}

function noFolder(folder: string, error: Error): never {
  throw new OptionError(`slotSavePath is ${folder}, which is no folder and cannot be made one: ${error.message}`)
}
