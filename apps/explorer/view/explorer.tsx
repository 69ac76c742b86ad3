/** The page: a list of views beside the one that is shown. */
import { useEffect, useRef } from 'preact/hooks'
import { saveView } from '../drawing/view-file.ts'
import { hashOf, lasting, useAddress } from '../state/address.ts'
import { freeReadings } from '../state/model.ts'
import { Home } from './home.tsx'
import { ThemeButton } from './theme-button.tsx'
import { stepOf, Tour } from './tour/tour.tsx'
import { VIEWS } from './views.ts'

export function Explorer() {
  const { view, params } = useAddress()
  const shown = VIEWS.find(({ name }) => name === view)
  const step = stepOf(view, params)
  const main = useRef<HTMLElement>(null)
  const list = useRef<HTMLElement>(null)
  const first = useRef(true)
  useEffect(() => {
    document.title = shown ? `${shown.title} · latentkit explorer` : 'latentkit explorer'
    // Who follows a link continues at the new view, with a screen reader too.
    if (!first.current && step === undefined) {
      scrollTo(0, 0)
      main.current?.focus({ preventScroll: true })
    }
    first.current = false
    if (list.current) showCurrent(list.current)
  }, [shown])
  useEffect(() => {
    // The new view has begun to read by then.
    const timer = setTimeout(freeReadings)
    return () => clearTimeout(timer)
  }, [view, step])
  const Body = shown?.Body ?? Home
  return (
    <div class="explorer">
      <button type="button" class="skip" onClick={() => main.current?.focus()}>
        Skip to the view
      </button>
      <header class="side">
        <div class="brand">
          <a href={hashOf('', lasting(params))}>latentkit explorer</a>
          <ThemeButton />
        </div>
        <nav ref={list} aria-label="Views">
          <ul>
            {VIEWS.map(({ name, title }) => (
              <li key={name}>
                <a href={hashOf(name, lasting(params))} aria-current={name === view ? 'page' : undefined}>
                  {title}
                </a>
              </li>
            ))}
          </ul>
        </nav>
        <p class="promise">Nothing is uploaded: everything is computed on this machine.</p>
      </header>
      <main ref={main} id="main" tabIndex={-1} key={view} class={step === undefined ? '' : 'touring'}>
        {step !== undefined && <Tour number={step} />}
        <Body />
        {shown && (
          <footer class="view-foot">
            <button
              type="button"
              class="quiet"
              onClick={() => main.current && saveView(main.current, `latentkit-${view}`)}
            >
              Save this view as one HTML file
            </button>
          </footer>
        )}
      </main>
    </div>
  )
}

/** On a phone the list of views is wider than the page: the one that is shown stands in its middle. */
function showCurrent(list: HTMLElement): void {
  const current = list.querySelector('[aria-current]')?.getBoundingClientRect()
  const { left, width } = list.getBoundingClientRect()
  if (current) list.scrollLeft += current.left + current.width / 2 - left - width / 2
}
