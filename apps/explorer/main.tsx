/** The explorer begins: its address says what is shown. */
import './style/explorer.css'
import { render } from 'preact'
import { Explorer } from './view/explorer.tsx'

// Without a network the page is what it was at the last visit. Browsers that forbid it show the page all the same.
void navigator.serviceWorker?.register('offline.js').catch(() => undefined)
render(<Explorer />, document.getElementById('root')!)
