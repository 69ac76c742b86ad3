/** Light, dark, or as the system has it; remembered by the browser. */
import { read, write } from './browser-storage.ts'

export type Theme = 'system' | 'light' | 'dark'

const NAME = 'latentkit.theme'

export function loadTheme(): Theme {
  const stored = read('local', NAME)
  return stored === 'light' || stored === 'dark' ? stored : 'system'
}

/** Shows a theme, and remembers it. */
export function chooseTheme(theme: Theme): void {
  write('local', NAME, theme === 'system' ? '' : theme)
  showTheme(theme)
}

export function showTheme(theme: Theme): void {
  if (theme === 'system') delete document.documentElement.dataset.theme
  else document.documentElement.dataset.theme = theme
}
