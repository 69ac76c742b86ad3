import type { Conversation, Summary } from '../talk/conversation.ts'
import { readConversation } from '../talk/exchange.ts'

/** Where conversations are kept. */
export interface Shelf {
  /** Of all conversations, in any order. */
  summaries(): Promise<Summary[]>
  get(id: string): Promise<Conversation | undefined>
  put(conversation: Conversation): Promise<void>
  remove(id: string): Promise<void>
}

/** The browser's database, or memory where it has none, as in some private windows. */
export async function openShelf(): Promise<{ shelf: Shelf; lasting: boolean }> {
  try {
    return { shelf: databaseShelf(await openDatabase()), lasting: true }
  } catch {
    return { shelf: memoryShelf(), lasting: false }
  }
}

const SUMMARIES = 'summaries'
const CONVERSATIONS = 'conversations'

function openDatabase(): Promise<IDBDatabase> {
  const request = indexedDB.open('latentkit', 1)
  request.onupgradeneeded = () => {
    request.result.createObjectStore(SUMMARIES, { keyPath: 'id' })
    request.result.createObjectStore(CONVERSATIONS, { keyPath: 'id' })
  }
  return result(request)
}

function databaseShelf(database: IDBDatabase): Shelf {
  // A summary and its conversation change together.
  const both = (change: (summaries: IDBObjectStore, conversations: IDBObjectStore) => void) =>
    new Promise<void>((resolve, reject) => {
      const transaction = database.transaction([SUMMARIES, CONVERSATIONS], 'readwrite')
      transaction.oncomplete = () => resolve()
      transaction.onabort = () => reject(transaction.error ?? new Error('the transaction was aborted'))
      change(transaction.objectStore(SUMMARIES), transaction.objectStore(CONVERSATIONS))
    })
  return {
    summaries: () => result<Summary[]>(database.transaction(SUMMARIES).objectStore(SUMMARIES).getAll()),
    async get(id) {
      const found: unknown = await result(database.transaction(CONVERSATIONS).objectStore(CONVERSATIONS).get(id))
      return found === undefined ? undefined : readConversation(found)
    },
    put: conversation =>
      both((summaries, conversations) => {
        const { id, title, changed } = conversation
        summaries.put({ id, title, changed })
        conversations.put(conversation)
      }),
    remove: id =>
      both((summaries, conversations) => {
        summaries.delete(id)
        conversations.delete(id)
      }),
  }
}

function memoryShelf(): Shelf {
  const kept = new Map<string, Conversation>()
  return {
    summaries: async () => [...kept.values()],
    get: async id => kept.get(id),
    put: async conversation => void kept.set(conversation.id, conversation),
    remove: async id => void kept.delete(id),
  }
}

function result<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })
}
