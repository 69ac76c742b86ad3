/** Steps through the versions of a turn. */
import { useApp } from './hooks.ts'
import { Icon } from './icons.tsx'

interface Props {
  id: string
  versions: readonly string[]
  busy: boolean
}

/** Which of several versions of a turn is shown, and how to see the others. */
export function Versions({ id, versions, busy }: Props) {
  const app = useApp()
  if (versions.length < 2) return null
  const at = versions.indexOf(id)
  const go = (to: number) => {
    const turn = app.state.conversation.turns.find(other => other.id === versions[to])
    if (turn !== undefined) app.show(turn)
  }
  return (
    <span class="versions">
      <button
        type="button"
        class="icon-button"
        aria-label="Earlier version"
        disabled={busy || at === 0}
        onClick={() => go(at - 1)}
      >
        <Icon name="left" />
      </button>
      <span>
        {at + 1}/{versions.length}
      </span>
      <button
        type="button"
        class="icon-button"
        aria-label="Later version"
        disabled={busy || at === versions.length - 1}
        onClick={() => go(at + 1)}
      >
        <Icon name="right" />
      </button>
    </span>
  )
}
