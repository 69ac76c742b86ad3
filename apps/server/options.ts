/** What a server is started with: every option once, for the check, the command line and the file of settings. */
import { flag, list, type OptionTable, text, whole } from '../../src/for-apps.ts'
import type { LoadOptions } from '../../src/index.ts'

/** Names and addresses by which only this machine is reached. */
export const LOOPBACK = /^(localhost|.+\.localhost|127(\.\d{1,3}){3}|\[::1\]|::1)$/i

export interface ServerOptions {
  /** Models: a folder, a GGUF file, a name on the hub, or NAME=MODEL. The first is loaded at once. Default: the bundled one. */
  readonly models?: readonly string[]
  /** The address to listen on. Default 127.0.0.1: only this machine. */
  readonly host?: string
  /** The port; 0: any that is free. Default 8080. */
  readonly port?: number
  /** A PEM file with the certificate, and those of who signed it: the server speaks TLS. Needs `sslKeyFile`. Default: it does not. */
  readonly sslCertFile?: string
  /** A PEM file with the certificate's key. */
  readonly sslKeyFile?: string
  /** Keys of which a request must bring one. Default: none is needed. */
  readonly apiKeys?: readonly string[]
  /** Web pages of these origins may ask; `*`: all. Default: none but the server's own. */
  readonly corsOrigins?: readonly string[]
  /** Names by which this server is reached on loopback, beside localhost and addresses. Default: none. */
  readonly allowedHosts?: readonly string[]
  /** Every name of a model is the first one's. Default false. */
  readonly anyModel?: boolean
  /** Keys share what is cached of prompts: faster, and times tell what others have asked. Default false. */
  readonly sharePrompts?: boolean
  /** Answers that are written at once. Default 8. */
  readonly maxRunning?: number
  /** Requests that wait. Default 64. */
  readonly maxQueued?: number
  /** Tokens of the prompts that wait, by an estimate. Default 1,000,000. */
  readonly maxQueuedTokens?: number
  /** Longest body of a request, in bytes. Default 16 MiB. */
  readonly maxBodyBytes?: number
  /** Seconds that an answer may take, waiting included. Default 3,600. */
  readonly timeout?: number
  /** Seconds between signs of life in a stream. Default 5. */
  readonly pingInterval?: number
  /** The folder of saved slots, made where it is not there. Default: slots are not saved. */
  readonly slotSavePath?: string
  /** Seconds that running answers have to end when the server stops. Default 30. */
  readonly stopDeadline?: number
  /**
   * Bytes that all loaded models may take: weights, and the cache of one text as long as the context, or `load.cacheBytes`. A model that is
   * the only one may cache as much as its weights leave. Default: no bound.
   */
  readonly memoryBytes?: number
  /** Seconds after which a model that nobody uses is unloaded; the first one stays. Default: none is. */
  readonly keepAlive?: number
  /** Metrics are repeated under this prefix: `vllm`. Default: they are not. */
  readonly metricsAlias?: string
  /** The log has prompts and answers. Default false. */
  readonly logPrompts?: boolean
  /** What hears of each request, as one line of JSON. Default: nobody. */
  readonly log?: (line: string) => void
  /** How models are loaded. */
  readonly load?: LoadOptions
}

/** Options that are plain values; `log` and `load` are a program's own. */
export const SERVER_OPTIONS = {
  models: { kind: list(text, 'models'), description: 'models to serve' },
  host: { kind: text, description: 'the address to listen on', defaultText: '127.0.0.1', flag: '--host <address>' },
  port: { kind: whole(0, 65535), description: 'the port; 0: any free one', defaultText: '8080', flag: '--port <n>' },
  sslCertFile: { kind: text, description: 'serve https with this certificate (PEM)', flag: '--ssl-cert-file <file>' },
  sslKeyFile: { kind: text, description: "the certificate's key (PEM)", flag: '--ssl-key-file <file>' },
  apiKeys: { kind: list(text, 'keys'), description: 'requests must bring this key', flag: '--api-key <key>' },
  corsOrigins: {
    kind: list(text, 'origins'),
    description: 'pages of this origin may ask; *: all',
    flag: '--cors <origin>',
  },
  allowedHosts: {
    kind: list(text, 'names'),
    description: 'a name that the server is reached by on loopback',
    flag: '--allowed-host <name>',
  },
  anyModel: { kind: flag, description: 'every name of a model means the first one', flag: '--any-model' },
  sharePrompts: { kind: flag, description: 'keys share what is cached of prompts', flag: '--share-prompts' },
  maxRunning: {
    kind: whole(1, 1024),
    description: 'answers written at once',
    defaultText: '8',
    flag: '--max-running <n>',
  },
  maxQueued: { kind: whole(0), description: 'requests that wait', defaultText: '64', flag: '--max-queued <n>' },
  maxQueuedTokens: {
    kind: whole(1),
    description: 'tokens of the prompts that wait',
    defaultText: '1000000',
    flag: '--max-queued-tokens <n>',
  },
  maxBodyBytes: {
    kind: whole(1),
    description: 'longest body of a request',
    defaultText: '16MiB',
    flag: '--max-body <bytes>',
  },
  timeout: {
    kind: whole(1, 86_400),
    description: 'seconds that an answer may take',
    defaultText: '3600',
    flag: '--timeout <s>',
  },
  pingInterval: {
    kind: whole(1, 3600),
    description: 'seconds between signs of life',
    defaultText: '5',
    flag: '--ping <s>',
  },
  slotSavePath: { kind: text, description: 'the folder of saved slots', flag: '--slot-save-path <folder>' },
  stopDeadline: {
    kind: whole(0, 86_400),
    description: 'seconds that answers have to end at a stop',
    defaultText: '30',
    flag: '--stop-deadline <s>',
  },
  memoryBytes: {
    kind: whole(1),
    description: 'bytes that all loaded models may take',
    defaultText: 'no bound',
    flag: '--memory <bytes>',
  },
  keepAlive: {
    kind: whole(0),
    description: 'seconds after which an unused model is unloaded',
    defaultText: 'never',
    flag: '--keep-alive <s>',
  },
  metricsAlias: { kind: text, description: 'repeat metrics under a prefix: vllm', flag: '--metrics-alias <prefix>' },
  logPrompts: { kind: flag, description: 'write prompts and answers into the log', flag: '--log-prompts' },
} satisfies OptionTable<Omit<ServerOptions, 'log' | 'load'>>

/** With defaults filled in. */
export type Settings = Required<Omit<ServerOptions, Optional | 'load'>> & Pick<ServerOptions, Optional>

/** Those without a default. */
type Optional = 'memoryBytes' | 'keepAlive' | 'metricsAlias' | 'slotSavePath' | 'sslCertFile' | 'sslKeyFile'

export const DEFAULTS = {
  models: [],
  host: '127.0.0.1',
  port: 8080,
  apiKeys: [],
  corsOrigins: [],
  allowedHosts: [],
  anyModel: false,
  sharePrompts: false,
  maxRunning: 8,
  maxQueued: 64,
  maxQueuedTokens: 1_000_000,
  maxBodyBytes: 16 * 2 ** 20,
  timeout: 3600,
  pingInterval: 5,
  stopDeadline: 30,
  logPrompts: false,
  log: () => {},
} satisfies Settings
