/** llama.cpp's /slots: what is remembered, and its states saved under names. */
import { z } from 'zod'
import { ContextLengthError, SessionFileError, SessionMismatchError } from '../../../src/index.ts'
import { Failure, invalid } from '../failure.ts'
import { type Endpoint, endpoint } from '../http/dialect.ts'
import type { Exchange } from '../http/exchange.ts'
import { json } from '../http/respond.ts'
import { type Service, saltOf } from '../service/service.ts'
import { diskFailure, type SavedSlots } from '../slots/saved-slots.ts'

const SlotBody = z.looseObject({
  filename: z.string().nullish(),
  model: z.string().nullish(),
  cache_salt: z.string().nullish(),
})
type SlotBody = z.infer<typeof SlotBody>

/** Tokens that the cache shares as a whole: what is saved ends with one, as nobody finds a part of it. */
const BLOCK = 64

export function slotEndpoints(service: Service): readonly Endpoint[] {
  return [
    endpoint({
      method: 'GET',
      path: '/slots',
      summary: 'The slots, and what they remember',
      run: exchange => {
        const { query } = exchange
        const named = query.get('model')
        const model = named === null ? null : service.models.resolve(named)
        const slots = service.slots.view()
        if (query.has('fail_on_no_slot') && slots.every(({ isProcessing }) => isProcessing)) {
          throw new Failure('unavailable', 'No slot is free.', { code: 'no_slot', retryAfter: 1 })
        }
        const all = slots.map(({ id, state, isProcessing }) => {
          // Of others' nothing is told.
          const own = state && belongsTo(state.cacheSalt, exchange.cacheOwner) ? state : null
          const info = service.models.peek(own?.model ?? model ?? service.models.resolve(null))?.engine.info
          return {
            ...{ id, n_ctx: info?.contextLength ?? null, speculative: false, is_processing: isProcessing },
            ...(own && { model: own.model, n_prompt_tokens: own.tokens.length }),
          }
        })
        return json(model === null ? all : all.filter(slot => slot.model === undefined || slot.model === model))
      },
    }),
    endpoint({
      method: 'GET',
      path: '/slots/saved',
      summary: 'The names of saved slots',
      run: async exchange => {
        const saved = await filesOf(service).list(saltOf(exchange, exchange.query.get('cache_salt')))
        return json({
          object: 'list',
          data: saved.map(({ name, bytes, savedAt }) => {
            return { filename: name, n_bytes: bytes, saved_at: Math.floor(savedAt.getTime() / 1000) }
          }),
        })
      },
    }),
    endpoint({
      method: 'DELETE',
      path: '/slots/saved/:filename',
      summary: 'Removes a saved slot',
      run: async exchange => {
        const { filename } = exchange.params
        const salt = saltOf(exchange, exchange.query.get('cache_salt'))
        return json({ filename, n_freed: await filesOf(service).remove(filename, salt) })
      },
    }),
    endpoint({
      method: 'POST',
      path: '/slots/:id',
      summary: 'Saves, restores or erases a slot: ?action=save, restore, erase',
      body: SlotBody,
      emptyBody: true,
      run: exchange => {
        const action = exchange.query.get('action')
        const { id: given = '' } = exchange.params
        const id = /^\d{1,6}$/.test(given) ? Number(given) : given
        service.slots.check(id)
        if (action === 'save') return save(service, exchange, id)
        if (action === 'restore') return restore(service, exchange, id)
        if (action === 'erase') return erase(service, exchange, id)
        throw invalid(`action is ${JSON.stringify(action)}; expected save, restore or erase`, 'action')
      },
    }),
  ]
}

async function save(service: Service, exchange: Exchange<SlotBody>, id: number): Promise<Response> {
  const { filename, cache_salt } = exchange.body
  const salt = saltOf(exchange, cache_salt)
  const files = filesOf(service)
  const state = service.slots.state(id)
  if (!state || state.cacheSalt !== salt) {
    const more = cache_salt || !state || !belongsTo(state.cacheSalt, exchange.cacheOwner) ? '' : ' with this cache_salt'
    throw invalid(`The slot ${id} remembers no text of yours${more}; ask something at it first (id_slot)`, 'id_slot')
  }
  const file = await files.fileFor(filename, salt)
  const begun = performance.now()
  return service.use(exchange, state.model, 0, async ({ engine }) => {
    await using session = engine.session(salt === '' ? {} : { cacheSalt: salt })
    const { length } = state.tokens
    const tokenIds = state.tokens.slice(0, length < BLOCK ? length : length - (length % BLOCK))
    await session.prompt({ tokenIds }, { maxTokens: 0, signal: exchange.signal })
    const { rows, bytes } = await session.save(file).catch(error => refuse(error, file, filename, 'saved'))
    const timings = { save_ms: performance.now() - begun }
    return json({ id_slot: id, filename, n_saved: rows, n_written: bytes, timings })
  })
}

async function restore(service: Service, exchange: Exchange<SlotBody>, id: number): Promise<Response> {
  const { filename, cache_salt, model } = exchange.body
  const salt = saltOf(exchange, cache_salt)
  const { file, bytes } = await filesOf(service).find(filename, salt)
  const begun = performance.now()
  return service.use(exchange, model ?? exchange.query.get('model'), 0, async ({ engine, name }) => {
    const shared = { share: true, ...(salt !== '' && { cacheSalt: salt }) }
    const session = await engine.restore(file, shared).catch(error => refuse(error, file, filename, 'read'))
    const tokens = [...session.tokens]
    service.slots.restore(id, { model: name, cacheSalt: salt, tokens, request: '' }, session)
    const timings = { restore_ms: performance.now() - begun }
    return json({ id_slot: id, filename, n_restored: session.cache.tokens, n_read: bytes, timings })
  })
}

function erase(service: Service, exchange: Exchange<SlotBody>, id: number): Response {
  const state = service.slots.state(id)
  const isOwn = state !== null && belongsTo(state.cacheSalt, exchange.cacheOwner)
  return json({ id_slot: id, n_erased: isOwn ? service.slots.erase(id) : 0 })
}

/** Throws Failure where no folder was given. */
function filesOf({ savedSlots }: Service): SavedSlots {
  if (savedSlots) return savedSlots
  throw new Failure('unsupported', 'This server saves no slots. Start it with --slot-save-path FOLDER.', {
    code: 'not_supported',
  })
}

/** Salts begin with who asks. */
function belongsTo(cacheSalt: string, owner: string): boolean {
  return owner === '' || cacheSalt === owner || cacheSalt.startsWith(`${owner} `)
}

/** What went wrong with a file, without the folder. Throws Failure, and what is about something else. */
function refuse(error: unknown, file: string, name: unknown, aim: 'saved' | 'read'): never {
  const isMismatch = error instanceof SessionMismatchError || error instanceof ContextLengthError
  if (!isMismatch && !(error instanceof SessionFileError)) throw error
  const { message: said } = error
  const message = said.replaceAll(file, JSON.stringify(name))
  if (isMismatch) throw invalid(message, 'filename', 'slot_mismatch')
  // Not in the name, which may look like such a code.
  const [, system] = /: (E[A-Z]{2,}): /.exec(said.replaceAll(file, '')) ?? []
  if (system !== undefined) throw diskFailure(system, name, aim, error)
  throw invalid(message, 'filename', 'invalid_slot_file')
}
