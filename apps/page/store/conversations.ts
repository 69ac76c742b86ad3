import type { Conversation, Summary } from '../talk/conversation.ts'
import type { Shelf } from './database.ts'

/** The list of conversations, kept on a shelf that other tabs change too. */
export class Conversations {
  #summaries: readonly Summary[] = []
  #watcher = () => {}
  readonly #shelf: Shelf
  /** Ids of conversations that a tab has changed. */
  readonly #channel = new BroadcastChannel('latentkit.conversations')

  constructor(shelf: Shelf) {
    this.#shelf = shelf
  }

  /** Newest first. */
  get summaries(): readonly Summary[] {
    return this.#summaries
  }

  watch(watcher: () => void): void {
    this.#watcher = watcher
  }

  onOtherTab(changed: (id: string) => void): void {
    this.#channel.onmessage = ({ data }) => {
      void this.load()
      changed(String(data))
    }
  }

  async load(): Promise<void> {
    this.#list(await this.#shelf.summaries())
  }

  get(id: string): Promise<Conversation | undefined> {
    return this.#shelf.get(id)
  }

  async put(conversation: Conversation): Promise<void> {
    const { id, title, changed } = conversation
    const known = this.#summaries.find(summary => summary.id === id)
    if (known?.title !== title || known.changed !== changed)
      this.#list([{ id, title, changed }, ...this.#summaries.filter(summary => summary.id !== id)])
    await this.#shelf.put(conversation)
    this.#channel.postMessage(id)
  }

  async remove(id: string): Promise<void> {
    this.#list(this.#summaries.filter(summary => summary.id !== id))
    await this.#shelf.remove(id)
    this.#channel.postMessage(id)
  }

  #list(summaries: readonly Summary[]): void {
    this.#summaries = [...summaries].sort((a, b) => b.changed - a.changed)
    this.#watcher()
  }
}
