/** Settings of a conversation: system prompt, drawing, reasoning, tools. */
import { useState } from 'preact/hooks'
import {
  moreProblem,
  NUMBER_FIELDS,
  type NumberField,
  numberProblem,
  type Settings,
  toolsProblem,
} from '../talk/settings.ts'
import { Dialog } from './dialog.tsx'
import { useApp, useAppState } from './hooks.ts'

const REASONING = [
  ['', 'As the model does'],
  ['none', 'None'],
  ['low', 'Low'],
  ['medium', 'Medium'],
  ['high', 'High'],
] as const satisfies readonly (readonly [Settings['reasoning'], string])[]

const CALLS = [
  ['', 'As the model decides'],
  ['required', 'Always'],
  ['none', 'Never'],
] as const satisfies readonly (readonly [Settings['toolChoice'], string])[]

/** What a conversation asks besides its messages. Changes hold at once, for this conversation. */
export function SettingsSheet() {
  const app = useApp()
  const settings = useAppState(state => state.conversation.settings)
  const [kept, setKept] = useState(false)
  const change = (changed: Partial<Settings>) => {
    setKept(false)
    app.changeSettings(changed)
  }
  return (
    <Dialog title="Settings" kind="sheet">
      <div class="fields">
        <Area
          label="System prompt"
          hint="What the model is told before the conversation"
          rows={5}
          value={settings.system}
          change={system => change({ system })}
        />
        <Choice
          label="Reasoning"
          of={REASONING}
          value={settings.reasoning}
          change={reasoning => change({ reasoning })}
        />
        <fieldset>
          <legend>Sampling</legend>
          <p class="hint">An empty field leaves the choice to the model.</p>
          <div class="numbers-form">
            {NUMBER_FIELDS.map(field => (
              <NumberInput
                key={field.name}
                field={field}
                value={settings[field.setting]}
                change={typed => change({ [field.setting]: typed })}
              />
            ))}
          </div>
          <Area
            label="Stop at"
            hint="Texts that end the answer, one per line"
            rows={2}
            value={settings.stop}
            change={stop => change({ stop })}
          />
        </fieldset>
        <fieldset>
          <legend>Tools</legend>
          <Area
            label="Tools as JSON"
            hint="An array of functions with name, description and parameters. The page shows calls; you give the results"
            rows={6}
            code
            value={settings.tools}
            problem={toolsProblem(settings.tools)}
            placeholder={
              '[{"name": "get_weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}]'
            }
            change={tools => change({ tools })}
          />
          <Choice label="Calls" of={CALLS} value={settings.toolChoice} change={toolChoice => change({ toolChoice })} />
        </fieldset>
        <Area
          label="Further fields of the request"
          hint="A JSON object, for what has no field here, such as response_format"
          rows={3}
          code
          value={settings.more}
          problem={moreProblem(settings.more)}
          change={more => change({ more })}
        />
        <div class="buttons">
          <button
            type="button"
            class="quiet"
            onClick={() => {
              app.changePreferences({ defaults: settings })
              setKept(true)
            }}
          >
            {kept ? 'New conversations begin with these' : 'Use for new conversations'}
          </button>
          <button type="button" class="quiet" onClick={() => app.openPanel('key')}>
            API key
          </button>
        </div>
      </div>
    </Dialog>
  )
}

interface ChoiceProps<T extends string> {
  label: string
  /** Values with what is shown of them. */
  of: readonly (readonly [T, string])[]
  value: T
  change: (value: T) => void
}

function Choice<T extends string>({ label, of, value, change }: ChoiceProps<T>) {
  return (
    <label class="field">
      <span>{label}</span>
      <select value={value} onChange={event => change(event.currentTarget.value as T)}>
        {of.map(([choice, shown]) => (
          <option key={choice} value={choice}>
            {shown}
          </option>
        ))}
      </select>
    </label>
  )
}

interface HintProps {
  id: string
  hint: string
  problem: string | undefined
}

/** What is wrong with what was typed, else a hint. */
function Hint({ id, hint, problem }: HintProps) {
  return (
    <small id={id} class={problem === undefined ? 'hint' : 'problem'}>
      {problem ?? hint}
    </small>
  )
}

interface AreaProps {
  label: string
  hint: string
  rows: number
  value: string
  change: (value: string) => void
  code?: boolean
  problem?: string | undefined
  placeholder?: string
}

function Area({ label, hint, rows, value, change, code = false, problem, placeholder = '' }: AreaProps) {
  const id = `hint-${label.replaceAll(' ', '-')}`
  return (
    <label class="field">
      <span>{label}</span>
      <textarea
        class={code ? 'code' : ''}
        rows={rows}
        value={value}
        placeholder={placeholder}
        spellcheck={!code}
        aria-describedby={id}
        aria-invalid={problem !== undefined}
        onInput={event => change(event.currentTarget.value)}
      />
      <Hint id={id} hint={`${hint}.`} problem={problem} />
    </label>
  )
}

interface NumberProps {
  field: NumberField
  value: string
  change: (value: string) => void
}

function NumberInput({ field, value, change }: NumberProps) {
  const problem = numberProblem(field, value)
  const id = `hint-${field.name}`
  return (
    <label class="field">
      <span>{field.label}</span>
      <input
        inputMode="decimal"
        autocomplete="off"
        value={value}
        aria-describedby={id}
        aria-invalid={problem !== undefined}
        onInput={event => change(event.currentTarget.value)}
      />
      <Hint id={id} hint={field.hint} problem={problem} />
    </label>
  )
}
