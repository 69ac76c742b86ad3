/** Who may ask: the Host header on loopback, the origin of web pages, keys. */
import { createHash, timingSafeEqual } from 'node:crypto'
import { Failure } from '../failure.ts'
import { LOOPBACK, type Settings } from '../options.ts'

type GuardSettings = Pick<Settings, 'host' | 'apiKeys' | 'corsOrigins' | 'allowedHosts' | 'sharePrompts'>

export class Guard {
  readonly #settings: GuardSettings
  readonly #keys: readonly Buffer[]

  constructor(settings: GuardSettings) {
    this.#settings = settings
    this.#keys = settings.apiKeys.map(digest)
  }

  /**
   * On loopback a page of any site could reach the server by a name of its own that leads here (DNS rebinding), or post to it without being
   * asked. Throws Failure.
   */
  checkSource(request: Request): void {
    const { host: listens, allowedHosts } = this.#settings
    const host = request.headers.get('host') ?? new URL(request.url).host
    const name = host.replace(/:\d+$/, '')
    if (LOOPBACK.test(listens) && !LOOPBACK.test(name) && !allowedHosts.includes(name)) {
      throw new Failure(
        'forbidden',
        `The request's Host is ${JSON.stringify(name)}; this server listens on ${listens} and answers to localhost only. ` +
          'Start it with --allowed-host NAME to let it have another name.',
        { code: 'host_not_allowed' },
      )
    }
    const origin = request.headers.get('origin')
    if (origin === null || origin === `http://${host}` || origin === `https://${host}`) return
    if (this.allowsOrigin(origin)) return
    throw new Failure(
      'forbidden',
      `A page of ${origin} may not ask this server. Start it with --cors ${origin} to allow it.`,
      { code: 'origin_not_allowed' },
    )
  }

  allowsOrigin(origin: string): boolean {
    const { corsOrigins } = this.#settings
    return corsOrigins.includes('*') || corsOrigins.includes(origin)
  }

  /** Who asks. Throws Failure without a valid key, where one is needed. */
  owner(headers: Headers): string {
    if (this.#keys.length === 0) return ''
    const given = keysOf(headers)
    // All keys are compared, so that time tells nothing.
    const isKnown = (key: string) => this.#keys.map(one => timingSafeEqual(one, digest(key))).includes(true)
    const [key] = given.filter(isKnown)
    if (key === undefined) {
      const met = given.length === 0 ? 'The request has no key' : 'The key is not valid'
      throw new Failure('unauthorized', `${met}; expected the header "Authorization: Bearer KEY".`, {
        code: 'invalid_api_key',
      })
    }
    return digest(`owner ${key}`).toString('hex', 0, 16)
  }
}

/** Clients of several APIs send more than one. */
function keysOf(headers: Headers): string[] {
  const bearer = /^Bearer\s+(.+)$/i.exec(headers.get('authorization') ?? '')?.[1]?.trim()
  return [bearer, headers.get('x-api-key'), headers.get('api-key')].filter(key => typeof key === 'string')
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
