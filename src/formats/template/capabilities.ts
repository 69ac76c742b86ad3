/** The shape in which a template keeps calls. */
export interface CallShape {
  /** The content of a message that has calls and no text. */
  readonly content: '' | null
  readonly arguments: 'object' | 'text'
}

/** What a chat template accepts and keeps, as found by rendering sentinels. */
export interface Capabilities {
  /** It renders a plain question; if not, all else is false. */
  readonly plain: boolean
  /** Contents may be texts; false: they must be lists of parts. */
  readonly text: boolean
  /** Contents may be lists of text parts. */
  readonly parts: boolean
  readonly system: boolean
  /** A system message after the first turn. */
  readonly lateSystem: boolean
  /** A message of role `developer`. */
  readonly developer: boolean
  /** Two messages of the user in a row. */
  readonly repeatedUser: boolean
  /** It shows the tools' names and descriptions. */
  readonly tools: boolean
  /** Null: calls are refused or lost. */
  readonly calls: CallShape | null
  /** Text beside calls. */
  readonly contentWithCalls: boolean
  /** Several calls in a message. */
  readonly severalCalls: boolean
  /** It shows the ids of calls. */
  readonly callIds: boolean
  /** It refuses ids that are not nine letters and digits (Mistral's). */
  readonly shortIds: boolean
  /** Results in messages of role `tool`. */
  readonly results: boolean
  /** The same after an answer without calls, such as one whose calls are written as text. */
  readonly looseResults: boolean
  /** The field of an answer that it shows as reasoning, at least in the last turn; null: none. */
  readonly reasoning: 'reasoning_content' | 'reasoning' | 'thinking' | null
  /** Whether it shows the reasoning of earlier turns too. */
  readonly keepsReasoning: boolean
  /** The variable that turns reasoning on and off; null: none. */
  readonly reasoningSwitch: 'enable_thinking' | 'thinking' | null
}
