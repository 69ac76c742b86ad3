/** The page begins: its state first, then its views. */
import './style/page.css'
import { render } from 'preact'
import { App } from './store/app.ts'
import { Page } from './view/app.tsx'
import { AppContext } from './view/hooks.ts'

const app = await App.open()
addEventListener('popstate', () => void app.showAddressed())
render(
  <AppContext.Provider value={app}>
    <Page />
  </AppContext.Provider>,
  document.getElementById('root')!,
)
