/** Everything that the page shows, as one object. */
import { type Conversation, newConversation, type Summary, type TextFile } from '../talk/conversation.ts'
import type { Failure } from '../wire/failure.ts'
import type { ListedModel } from '../wire/models.ts'
import type { Preferences } from './preferences.ts'

export interface Notice {
  text: string
  /** Something that the user may do about it. */
  action?: { label: string; run: () => void }
}

export type Panel = 'settings' | 'key' | 'shortcuts'

export interface State {
  summaries: readonly Summary[]
  conversation: Conversation
  models: readonly ListedModel[]
  /** Why the models could not be listed. */
  modelsFailure: Failure | undefined
  preferences: Preferences
  panel: Panel | undefined
  notice: Notice | undefined
  /** The user message that is being edited. */
  editing: string | undefined
  /** Ids of conversations in which an answer arrives. */
  answering: ReadonlySet<string>
  /** The message that is being written, and its files. */
  draft: string
  files: readonly TextFile[]
  /** The list of conversations lies over the page, on a phone. */
  drawer: boolean
}

export function firstState(preferences: Preferences): State {
  return {
    summaries: [],
    conversation: newConversation(preferences.defaults, Date.now()),
    models: [],
    modelsFailure: undefined,
    preferences,
    panel: undefined,
    notice: undefined,
    editing: undefined,
    answering: new Set(),
    draft: '',
    files: [],
    drawer: false,
  }
}
