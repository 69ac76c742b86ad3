import { join } from 'node:path'

/** Fits the engine's ProgressEvent. */
export interface DownloadProgress {
  readonly status: 'resolve' | 'download'
  readonly file: string
  /** Bytes of this file that are on disk, and bytes in all; 0 of 0 while they are not known. */
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
  /** Attempts after the first that bring nothing, before giving up. Default 5. */
  readonly retries?: number
  /** Pause before the first repetition, in milliseconds; doubles each time, up to 30 s. Default 500. */
  readonly retryDelay?: number
  /** A connection that brings no byte for so long is given up, in milliseconds. Default 30,000. */
  readonly stallTimeout?: number
  /** Instead of the global fetch: for proxies. */
  readonly fetch?: typeof fetch
  readonly signal?: AbortSignal
  readonly onProgress?: (event: DownloadProgress) => void
}

export const DEFAULT_ENDPOINT = 'https://huggingface.co'

/**
 * Where the hub and its cache are, from the environment in huggingface_hub's order. The caller hands both over:
 * nothing in here looks at the process.
 */
export function hubSettings(
  env: Readonly<Record<string, string | undefined>>,
  home: string,
): Pick<HubOptions, 'cacheDir' | 'endpoint' | 'token' | 'offline'> {
  const hfHome = env.HF_HOME || join(env.XDG_CACHE_HOME || join(home, '.cache'), 'huggingface')
  const cacheDir = env.HF_HUB_CACHE || env.HUGGINGFACE_HUB_CACHE || join(hfHome, 'hub')
  return {
    // A shell expands ~, an env file does not.
    cacheDir: cacheDir.replace(/^~(?=[\\/]|$)/, () => home),
    ...(env.HF_ENDPOINT && { endpoint: env.HF_ENDPOINT }),
    ...(env.HF_TOKEN && { token: env.HF_TOKEN }),
    ...(/^(1|true|yes|on)$/i.test(env.HF_HUB_OFFLINE ?? '') && { offline: true }),
  }
}
