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
        <label class="field">
          <span>Reasoning</span>
          <select
            value={settings.reasoning}
            onChange={event => change({ reasoning: event.currentTarget.value as Settings['reasoning'] })}
          >
            <option value="">As the model does</option>
            <option value="none">None</option>
            <option value="low">Low</option>
            <option value="medium">Medium</option>
            <option value="high">High</option>
          </select>
        </label>
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
          <label class="field">
            <span>Calls</span>
            <select
              value={settings.toolChoice}
              onChange={event => change({ toolChoice: event.currentTarget.value as Settings['toolChoice'] })}
            >
              <option value="">As the model decides</option>
              <option value="required">Always</option>
              <option value="none">Never</option>
            </select>
          </label>
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
      <small id={id} class={problem === undefined ? 'hint' : 'problem'}>
        {problem ?? `${hint}.`}
      </small>
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
      <small id={id} class={problem === undefined ? 'hint' : 'problem'}>
        {problem ?? field.hint}
      </small>
    </label>
  )
}
