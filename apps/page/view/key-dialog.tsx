/** Asks for the API key when the server refuses a request without one. */
import { loadKey } from '../store/preferences.ts'
import { Dialog } from './dialog.tsx'
import { useApp } from './hooks.ts'

export function KeyDialog() {
  const app = useApp()
  return (
    <Dialog title="API key">
      <form
        class="fields"
        onSubmit={event => {
          event.preventDefault()
          const given = new FormData(event.currentTarget)
          app.useKey(String(given.get('key') ?? '').trim(), given.get('remember') !== null)
        }}
      >
        <p>The server asks for a key. Its owner set it with --api-key.</p>
        <label class="field">
          <span>Key</span>
          <input name="key" type="password" autocomplete="current-password" defaultValue={loadKey()} autofocus />
        </label>
        <label class="check">
          <input type="checkbox" name="remember" /> Remember it in this browser, not only in this tab
        </label>
        <div class="buttons">
          <button type="submit" class="primary">
            Use this key
          </button>
        </div>
      </form>
    </Dialog>
  )
}
