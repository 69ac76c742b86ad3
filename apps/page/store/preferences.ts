import { readSettings, type Settings } from '../talk/settings.ts'
import { object, parse, text } from '../wire/json.ts'
import { read, write } from './browser-storage.ts'

/** What this browser remembers beside conversations. */
export interface Preferences {
  model: string
  /** The settings of new conversations. */
  defaults: Settings
  sidebar: boolean
}

const PREFERENCES = 'latentkit.preferences'
const KEY = 'latentkit.key'

export function loadPreferences(): Preferences {
  const stored = object(parse(read('local', PREFERENCES)))
  return { model: text(stored.model) ?? '', defaults: readSettings(stored.defaults), sidebar: stored.sidebar !== false }
}

export function savePreferences(preferences: Preferences): void {
  write('local', PREFERENCES, JSON.stringify(preferences))
}

/** The API key, for this tab, or for this browser if the user asked for that. */
export function loadKey(): string {
  return read('session', KEY) || read('local', KEY)
}

export function saveKey(key: string, remember: boolean): void {
  write('session', KEY, remember ? '' : key)
  write('local', KEY, remember ? key : '')
}
