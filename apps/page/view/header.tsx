/** The bar at the top: model, theme, settings. */
import { useState } from 'preact/hooks'
import { chooseTheme, loadTheme, type Theme } from '../store/theme.ts'
import { useApp, useAppState } from './hooks.ts'
import { Icon } from './icons.tsx'

export function Header({ sidebar, openSidebar }: { sidebar: boolean; openSidebar: () => void }) {
  const app = useApp()
  const title = useAppState(state => state.conversation.title)
  return (
    <header class="top">
      <h1 class="hidden">{title}</h1>
      <div class="group">
        {!sidebar && (
          <>
            <button
              type="button"
              class="icon-button"
              aria-label="Show conversations"
              title="Show conversations"
              onClick={openSidebar}
            >
              <Icon name="menu" />
            </button>
            <button
              type="button"
              class="icon-button"
              aria-label="New conversation"
              title="New conversation (Ctrl+Shift+O)"
              onClick={() => app.begin()}
            >
              <Icon name="plus" />
            </button>
          </>
        )}
        <ModelChoice />
      </div>
      <div class="group">
        <ThemeButton />
        <button
          type="button"
          class="icon-button"
          aria-label="Settings"
          title="Settings: system prompt, sampling, tools"
          onClick={() => app.openPanel('settings')}
        >
          <Icon name="settings" />
        </button>
      </div>
    </header>
  )
}

function ModelChoice() {
  const app = useApp()
  const models = useAppState(state => state.models)
  const failure = useAppState(state => state.modelsFailure)
  useAppState(state => state.preferences)
  if (models.length === 0)
    return failure === undefined ? (
      <span class="model-choice" />
    ) : (
      <button type="button" class="quiet" onClick={() => void app.reloadModels()}>
        <Icon name="retry" /> {failure.kind === 'key' ? 'An API key is needed' : 'The server does not answer'}
      </button>
    )
  if (models.length === 1) return <span class="model-choice">{models[0]?.id}</span>
  return (
    <label class="model-choice">
      <span class="hidden">Model</span>
      <select value={app.model()} onChange={event => app.changePreferences({ model: event.currentTarget.value })}>
        {models.map(({ id }) => (
          <option key={id} value={id}>
            {id}
          </option>
        ))}
      </select>
    </label>
  )
}

const THEMES = { system: 'light', light: 'dark', dark: 'system' } as const
const THEME_ICONS = { system: 'system', light: 'sun', dark: 'moon' } as const

function ThemeButton() {
  const [theme, setTheme] = useState<Theme>(loadTheme)
  const label = `Theme: ${theme === 'system' ? 'as the system' : theme}`
  return (
    <button
      type="button"
      class="icon-button"
      aria-label={label}
      title={label}
      onClick={() => {
        chooseTheme(THEMES[theme])
        setTheme(THEMES[theme])
      }}
    >
      <Icon name={THEME_ICONS[theme]} />
    </button>
  )
}
