import {
  type AnswerTurn,
  type CallResult,
  type Conversation,
  newConversation,
  newId,
  path,
  type TextFile,
  type Turn,
  type UserTurn,
  withShown,
  withTurn,
} from '../talk/conversation.ts'
import { exportText, importText } from '../talk/exchange.ts'
import { readTextFile } from '../talk/files.ts'
import { requestBody } from '../talk/request.ts'
import { type Settings, settingsProblem } from '../talk/settings.ts'
import type { Failure } from '../wire/failure.ts'
import { listModels } from '../wire/models.ts'
import { Answering } from './answering.ts'
import { Conversations } from './conversations.ts'
import { openShelf } from './database.ts'
import type { LiveAnswer } from './live.ts'
import { loadKey, loadPreferences, type Preferences, saveKey, savePreferences } from './preferences.ts'
import { firstState, type Notice, type Panel, type State } from './state.ts'

/** The page's state and what a user can do. Views read `state` and call methods. */
export class App {
  #state: State
  readonly #watchers = new Set<() => void>()
  readonly #conversations: Conversations
  readonly #answering: Answering
  #key = loadKey()
  #noticeTimer = 0

  static async open(): Promise<App> {
    const { shelf, lasting } = await openShelf()
    const app = new App(new Conversations(shelf))
    if (!lasting) app.notify({ text: 'This browser keeps nothing: conversations end with this page.' })
    await app.#conversations.load()
    await app.showAddressed()
    void app.reloadModels()
    return app
  }

  private constructor(conversations: Conversations) {
    this.#conversations = conversations
    this.#answering = new Answering(changed => this.#keep(changed))
    this.#state = firstState(loadPreferences())
    conversations.watch(() => this.#set({ summaries: conversations.summaries }))
    conversations.onOtherTab(id => void this.#reload(id))
  }

  get state(): State {
    return this.#state
  }

  watch(watcher: () => void): () => void {
    this.#watchers.add(watcher)
    return () => this.#watchers.delete(watcher)
  }

  #set(change: Partial<State>): void {
    this.#state = { ...this.#state, ...change }
    for (const watcher of this.#watchers) watcher()
  }

  // --- conversations ---

  /** Shows the conversation that the address names, or a new one. */
  async showAddressed(): Promise<void> {
    const id = location.hash.slice(1)
    if (id === this.#state.conversation.id) return
    const found = id === '' ? undefined : await this.#find(id)
    this.#show(found ?? newConversation(this.#state.preferences.defaults, Date.now()))
  }

  begin(): void {
    this.#show(newConversation(this.#state.preferences.defaults, Date.now()))
    focusComposer()
  }

  #show(conversation: Conversation): void {
    const stored = conversation.turns.length > 0
    const hash = stored ? `#${conversation.id}` : ''
    if (location.hash !== hash) history.pushState(null, '', hash || location.pathname + location.search)
    this.#set({ conversation, editing: undefined })
  }

  async open(id: string): Promise<void> {
    const found = await this.#find(id)
    if (found !== undefined) this.#show(found)
  }

  /** As it is now: with the turns of an answer that still arrives. */
  async #find(id: string): Promise<Conversation | undefined> {
    return this.#answering.conversation(id) ?? (await this.#conversations.get(id))
  }

  async #reload(id: string): Promise<void> {
    if (id !== this.#state.conversation.id || this.#state.answering.has(id)) return
    const found = await this.#conversations.get(id)
    if (found !== undefined) this.#set({ conversation: found })
  }

  #keep(conversation: Conversation): void {
    const answering = this.#answering.ids()
    if (conversation.id === this.#state.conversation.id) this.#set({ conversation, answering })
    else this.#set({ answering })
    void this.#conversations
      .put(conversation)
      .catch(() => this.notify({ text: 'The browser could not store the conversation.' }))
  }

  async rename(id: string, title: string): Promise<void> {
    const found = await this.#find(id)
    if (found !== undefined && title.trim() !== '') this.#change({ ...found, title: title.trim(), named: true })
  }

  #change(conversation: Conversation): void {
    this.#answering.adopt(conversation)
    this.#keep(conversation)
  }

  async remove(id: string): Promise<void> {
    const found = await this.#find(id)
    this.#answering.drop(id)
    await this.#conversations.remove(id)
    if (id === this.#state.conversation.id) this.begin()
    if (found === undefined) return
    const restore = () => void this.#conversations.put(found).then(() => this.#show(found))
    this.notify({ text: `“${found.title}” is deleted.`, action: { label: 'Undo', run: restore } })
  }

  /** A file with one conversation, or with all. */
  async export(id?: string): Promise<{ name: string; text: string }> {
    const ids = id === undefined ? this.#state.summaries.map(summary => summary.id) : [id]
    const found = await Promise.all(ids.map(each => this.#find(each)))
    const conversations = found.filter(conversation => conversation !== undefined)
    const name = id === undefined ? 'conversations' : (conversations[0]?.title ?? 'conversation')
    return { name: `${name.replace(/[^\p{L}\p{N}]+/gu, '-').slice(0, 50)}.json`, text: exportText(conversations) }
  }

  async import(source: string): Promise<void> {
    try {
      const conversations = importText(source)
      for (const conversation of conversations) await this.#conversations.put(conversation)
      if (conversations[0] !== undefined) this.#show(conversations[0])
      this.notify({
        text: `${conversations.length === 1 ? 'One conversation' : `${conversations.length} conversations`} read.`,
      })
    } catch (cause) {
      this.notify({ text: String((cause as Error).message) })
    }
  }

  // --- turns ---

  send(text: string, files: readonly TextFile[]): void {
    if (this.#say(this.#state.conversation.leaf, text, files)) this.#set({ draft: '', files: [] })
  }

  setDraft(draft: string): void {
    this.#set({ draft })
  }

  /** Adds text files to the message that is being written. */
  async attach(files: readonly File[]): Promise<void> {
    for (const file of files) {
      try {
        const read = await readTextFile(file)
        this.#set({ files: [...this.#state.files.filter(({ name }) => name !== read.name), read] })
      } catch (cause) {
        this.notify({ text: (cause as Error).message })
      }
    }
    focusComposer()
  }

  detach(file: TextFile): void {
    this.#set({ files: this.#state.files.filter(other => other !== file) })
    focusComposer()
  }

  /** Another message in place of the one with that id; the earlier one stays as a sibling. */
  edit(turn: UserTurn, text: string, files: readonly TextFile[]): void {
    if (this.#say(turn.parent, text, files)) this.startEditing(undefined)
  }

  #say(parent: string | null, text: string, files: readonly TextFile[]): boolean {
    return this.#follow({ id: newId(), parent, role: 'user', text, files: [...files] })
  }

  giveResults(answer: AnswerTurn, results: CallResult[]): void {
    this.#follow({ id: newId(), parent: answer.id, role: 'results', results })
  }

  /** Another answer in place of this one. */
  retry(answer: AnswerTurn): void {
    this.#ask(this.#state.conversation, answer.parent)
  }

  /** The rest of an answer that ended early, as another version of it. */
  continue(answer: AnswerTurn): void {
    this.#ask(this.#state.conversation, answer.parent, answer)
  }

  #follow(turn: Turn): boolean {
    return this.#ask(withTurn(this.#state.conversation, turn, Date.now()), turn.id)
  }

  /** Asks for an answer; false if nothing was sent, for a reason that the user sees. */
  #ask(conversation: Conversation, parent: string | null, begun?: AnswerTurn): boolean {
    const problem = settingsProblem(conversation.settings)
    if (problem !== undefined) {
      this.notify({ text: problem, action: { label: 'Settings', run: () => this.openPanel('settings') } })
      return false
    }
    if (this.#state.answering.has(conversation.id)) return false
    const model = this.model()
    const body = requestBody(conversation, path(conversation, begun?.id ?? parent), model, begun !== undefined)
    this.notify(undefined)
    void this.#answering.ask(conversation, parent, model, body, this.#key, begun).then(failure => {
      if (failure?.kind === 'key') this.openPanel('key')
      if (failure === undefined && this.#state.models.length === 0) void this.reloadModels()
    })
    if (location.hash !== `#${conversation.id}`) history.pushState(null, '', `#${conversation.id}`)
    return true
  }

  stop(): void {
    this.#answering.stop(this.#state.conversation.id)
  }

  live(turn: AnswerTurn): LiveAnswer | undefined {
    return this.#answering.live(turn.id)
  }

  show(turn: Turn): void {
    this.#change(withShown(this.#state.conversation, turn))
  }

  startEditing(id: string | undefined): void {
    this.#set({ editing: id })
    if (id === undefined) focusComposer()
  }

  editLast(): void {
    const last = path(this.#state.conversation).findLast(turn => turn.role === 'user')
    if (last !== undefined && !this.#state.answering.has(this.#state.conversation.id)) this.startEditing(last.id)
  }

  // --- settings ---

  changeSettings(change: Partial<Settings>): void {
    const { conversation } = this.#state
    const changed = { ...conversation, settings: { ...conversation.settings, ...change } }
    if (conversation.turns.length > 0) this.#change(changed)
    else this.#set({ conversation: changed })
  }

  changePreferences(change: Partial<Preferences>): void {
    const preferences = { ...this.#state.preferences, ...change }
    savePreferences(preferences)
    this.#set({ preferences })
  }

  /** The chosen model, or the server's first if that is gone. */
  model(): string {
    const { models, preferences } = this.#state
    return models.some(({ id }) => id === preferences.model) ? preferences.model : (models[0]?.id ?? preferences.model)
  }

  async reloadModels(): Promise<void> {
    try {
      this.#set({ models: await listModels(this.#key), modelsFailure: undefined })
    } catch (cause) {
      const failure = cause as Failure
      this.#set({ modelsFailure: failure })
      if (failure.kind === 'key') this.openPanel('key')
    }
  }

  useKey(key: string, remember: boolean): void {
    this.#key = key
    saveKey(key, remember)
    this.openPanel(undefined)
    void this.reloadModels()
  }

  openDrawer(drawer: boolean): void {
    this.#set({ drawer })
  }

  openPanel(panel: Panel | undefined): void {
    this.#set({ panel })
  }

  notify(notice: Notice | undefined): void {
    clearTimeout(this.#noticeTimer)
    this.#set({ notice })
    if (notice !== undefined) this.#noticeTimer = setTimeout(() => this.#set({ notice: undefined }), 10_000)
  }
}

export function focusComposer(): void {
  document.getElementById('composer')?.focus()
}
