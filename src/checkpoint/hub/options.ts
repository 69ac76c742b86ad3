import { join } from 'node:path'

/** A subset of the engine's ProgressEvent. */
export interface DownloadProgress {
  readonly status: 'resolve' | 'download'
  readonly file: string
  /** Bytes of this file on disk, and in total; 0 and 0 while unknown. */
  readonly loaded: number
  readonly total: number
}

export interface HubOptions {
  /** The folder that holds `models--org--name`; shared with Python's huggingface_hub. */
  readonly cacheDir: string
  /** Default https://huggingface.co. */
  readonly endpoint?: string
  /** Sent to the endpoint only, never to the servers that it redirects to. */
  readonly token?: string
  /** Never use the network. Default false. */
  readonly offline?: boolean
  /** Consecutive attempts without progress after the first, before giving up. Default 5. */
  readonly retries?: number
  /** Pause before the first repetition, in milliseconds; doubles each time, up to 30 s. Default 500. */
  readonly retryDelay?: number
  /** Milliseconds without a byte after which a connection is given up. Default 30,000. */
  readonly stallTimeout?: number
  /** Replaces the global fetch: for proxies. */
  readonly fetch?: typeof fetch
  readonly signal?: AbortSignal
  readonly onProgress?: (event: DownloadProgress) => void
  /** Called with the snapshot's folder once config.json and the other small files are in it; may refuse the model by throwing. */
  readonly beforeWeights?: (folder: string) => Promise<void>
}

export const DEFAULT_ENDPOINT = 'https://huggingface.co'

/**
 * The hub's settings from the environment, with huggingface_hub's precedence. The caller passes environment and home
 * folder: this room does not read the process.
 */
export function hubSettings(
  env: Readonly<Record<string, string | undefined>>,
  home: string,
): Pick<HubOptions, 'cacheDir' | 'endpoint' | 'token' | 'offline'> {
  const cacheDir = env.HF_HUB_CACHE || env.HUGGINGFACE_HUB_CACHE || join(hubHome(env, home), 'hub')
  return {
    cacheDir: expanded(cacheDir, home),
    ...(env.HF_ENDPOINT && { endpoint: env.HF_ENDPOINT }),
    ...(env.HF_TOKEN && { token: env.HF_TOKEN }),
    ...(isOn(env.HF_HUB_OFFLINE) && { offline: true }),
  }
}

/** The file in which `hf auth login` keeps the token; undefined if it is not to be used, as in huggingface_hub. */
export function tokenFile(env: Readonly<Record<string, string | undefined>>, home: string): string | undefined {
  if (isOn(env.HF_HUB_DISABLE_IMPLICIT_TOKEN)) return undefined
  return expanded(env.HF_TOKEN_PATH || join(hubHome(env, home), 'token'), home)
}

function hubHome(env: Readonly<Record<string, string | undefined>>, home: string): string {
  return env.HF_HOME || join(env.XDG_CACHE_HOME || join(home, '.cache'), 'huggingface')
}

function isOn(value = ''): boolean {
  return /^(1|true|yes|on)$/i.test(value)
}

/** A shell expands ~, a .env file does not. */
function expanded(path: string, home: string): string {
  return path.replace(/^~(?=[\\/]|$)/, () => home)
}
