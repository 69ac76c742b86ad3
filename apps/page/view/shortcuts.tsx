/** The list of keys. */
import { Dialog } from './dialog.tsx'

const KEYS = [
  ['Enter', 'Send the message'],
  ['Shift+Enter', 'Begin a line'],
  ['Esc', 'Stop the answer; leave an edit or a dialog'],
  ['↑', 'Edit your last message, from the empty field'],
  ['/', 'Go to the field'],
  ['Ctrl+Shift+O', 'New conversation'],
  ['Ctrl+,', 'Settings'],
  ['?', 'These keys'],
] as const

export function ShortcutsDialog() {
  return (
    <Dialog title="Keys">
      <dl class="shortcuts">
        {KEYS.map(([key, does]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  )
}
