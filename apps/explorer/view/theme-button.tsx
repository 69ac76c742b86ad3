import { useState } from 'preact/hooks'
import { chooseTheme, loadTheme, type Theme } from '../../page/store/theme.ts'
import { Icon } from '../../page/view/icons.tsx'

const NEXT = { system: 'light', light: 'dark', dark: 'system' } as const
const ICONS = { system: 'system', light: 'sun', dark: 'moon' } as const

export function ThemeButton() {
  const [theme, setTheme] = useState<Theme>(loadTheme)
  const label = `Theme: ${theme === 'system' ? 'as the system' : theme}`
  const choose = () => {
    chooseTheme(NEXT[theme])
    setTheme(NEXT[theme])
  }
  return (
    <button type="button" class="icon-button" aria-label={label} title={label} onClick={choose}>
      <Icon name={ICONS[theme]} />
    </button>
  )
}
