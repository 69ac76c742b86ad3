/** A script of its own that runs before the page is drawn: so a chosen theme does not come late. */
import { loadTheme, showTheme } from './store/theme.ts'

showTheme(loadTheme())
