/** The page as a whole: layout, keys that work anywhere, files dropped on it. */
import { useEffect } from 'preact/hooks'
import { focusComposer } from '../store/app.ts'
import { Composer } from './composer.tsx'
import { ConversationView } from './conversation.tsx'
import { Header } from './header.tsx'
import { useApp, useAppState, useNarrow } from './hooks.ts'
import { KeyDialog } from './key-dialog.tsx'
import { Announcer, Notices } from './notices.tsx'
import { SettingsSheet } from './settings.tsx'
import { ShortcutsDialog } from './shortcuts.tsx'
import { Sidebar } from './sidebar.tsx'

export function Page() {
  const app = useApp()
  const narrow = useNarrow()
  const preferred = useAppState(state => state.preferences.sidebar)
  const drawer = useAppState(state => state.drawer)
  const panel = useAppState(state => state.panel)
  const title = useAppState(state => state.conversation.title)
  const stored = useAppState(state => state.conversation.turns.length > 0)
  const sidebar = narrow ? drawer : preferred
  const showSidebar = (shown: boolean) => (narrow ? app.openDrawer(shown) : app.changePreferences({ sidebar: shown }))
  useEffect(() => {
    document.title = stored ? `${title} · latentkit` : 'latentkit'
  }, [title, stored])
  useShortcuts()
  useDroppedFiles()
  return (
    <div class={sidebar ? 'page with-sidebar' : 'page'}>
      <Sidebar open={sidebar} close={() => showSidebar(false)} />
      <div class="column" inert={narrow && sidebar}>
        <Header sidebar={sidebar && !narrow} openSidebar={() => showSidebar(true)} />
        <ConversationView />
        <Notices />
        <Composer />
      </div>
      <Announcer />
      {panel === 'settings' && <SettingsSheet />}
      {panel === 'key' && <KeyDialog />}
      {panel === 'shortcuts' && <ShortcutsDialog />}
    </div>
  )
}

/** Keys that work anywhere on the page. */
function useShortcuts(): void {
  const app = useApp()
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.isComposing || document.querySelector('dialog[open]') !== null) return
      const typing = event.target instanceof HTMLElement && event.target.matches('input, textarea, select')
      const control = event.ctrlKey || event.metaKey
      if (event.key === 'Escape' && app.state.drawer) app.openDrawer(false)
      else if (event.key === 'Escape') app.stop()
      else if (control && event.shiftKey && event.key.toLowerCase() === 'o') app.begin()
      else if (control && event.key === ',') app.openPanel('settings')
      else if (!typing && !control && event.key === '/') focusComposer()
      else if (!typing && !control && event.key === '?') app.openPanel('shortcuts')
      else return
      event.preventDefault()
    }
    addEventListener('keydown', pressed)
    return () => removeEventListener('keydown', pressed)
  }, [app])
}

/** Files may be dropped anywhere. */
function useDroppedFiles(): void {
  const app = useApp()
  useEffect(() => {
    const over = (event: DragEvent) => {
      if (!event.dataTransfer?.types.includes('Files')) return
      event.preventDefault()
      document.body.classList.add('dropping')
    }
    const leave = (event: DragEvent) => {
      if (event.relatedTarget === null) document.body.classList.remove('dropping')
    }
    const drop = (event: DragEvent) => {
      document.body.classList.remove('dropping')
      if (!event.dataTransfer?.types.includes('Files')) return
      event.preventDefault()
      void app.attach([...event.dataTransfer.files])
    }
    addEventListener('dragover', over)
    addEventListener('dragleave', leave)
    addEventListener('drop', drop)
    return () => {
      removeEventListener('dragover', over)
      removeEventListener('dragleave', leave)
      removeEventListener('drop', drop)
    }
  }, [app])
}
