/** The guided tour above a view: the text of a step, and the way to the next one. `tour=N` in the address, from 1 on. */
import type { ComponentChildren } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { BUNDLED } from '../../numbers/open.ts'
import { changeParams, hashOf, models, type Params, useAddress } from '../../state/address.ts'
import { openModel, useModel } from '../../state/model.ts'
import { BUNDLED_NAME } from '../presets.ts'
import { STEPS } from './steps.ts'
import { TEXTS } from './texts.ts'

/** The step that the address has; undefined outside of the tour. */
export function stepOf(view: string, params: Params): number | undefined {
  const number = Number(params.tour)
  return STEPS[number - 1]?.view === view ? number : undefined
}

/** `params`: of the address now, which names the models. */
export function hashOfStep(number: number, params: Params): string {
  const { view, params: preset } = STEPS[number - 1]!
  return hashOf(view, { ...models(params), tour: String(number), ...preset })
}

export function Tour({ number }: { number: number }) {
  const { title, params: preset, point, name } = STEPS[number - 1]!
  const Text = TEXTS[name]
  const { params } = useAddress()
  const heading = useRef<HTMLHeadingElement>(null)
  const changed = Object.entries(preset).some(([name, value]) => params[name] !== value)
  // Who comes by keyboard or with a screen reader continues at the step's text.
  useEffect(() => {
    scrollTo(0, 0)
    heading.current?.focus({ preventScroll: true })
    return matchMedia(BOTH_FIT).matches ? pointSoon(point) : undefined
  }, [number])
  return (
    <section class="tour" aria-labelledby="tour-title">
      <p class="counted">
        Guided tour, step {number} of {STEPS.length}
      </p>
      <h2 id="tour-title" ref={heading} tabIndex={-1}>
        {title}
      </h2>
      <div key={number} data-text>
        <Text />
      </div>
      <OtherModel />
      <Ways number={number}>
        <button type="button" class="chip" onClick={() => pointAt(point)}>
          Show where
        </button>
        {changed && (
          <button type="button" class="chip" onClick={() => changeParams(presetOf(params, preset))}>
            As this step began
          </button>
        )}
      </Ways>
    </section>
  )
}

/** Parameters of a step again, all others of the view gone. */
function presetOf(params: Params, preset: Params): Record<string, string | undefined> {
  const gone = Object.fromEntries(Object.keys(params).map(name => [name, undefined]))
  return { ...gone, ...models(params), tour: params.tour, ...preset }
}

function OtherModel() {
  const model = useModel()
  if (model.status !== 'ready' || model.numbers.info.name === BUNDLED_NAME) return null
  return (
    <p class="hint">
      The tour is written for the bundled model. The numbers are those of {model.numbers.info.name}, in which other
      heads do these things.{' '}
      <button type="button" class="chip" onClick={() => openModel(BUNDLED)}>
        Open the bundled model
      </button>
    </p>
  )
}

/** Where the text stays in sight while the view scrolls below it; style/tour.css has the same condition. */
const BOTH_FIT = '(min-width: 861px) and (min-height: 700px)'
const POINTED_MS = 4000
const GAP = 24

/** Brings what the text speaks of into view, and outlines it for a while. */
function pointAt(selector: string): void {
  const element = document.querySelector<HTMLElement>(`.touring ${selector}`)
  if (element === null) return
  const calm = matchMedia('(prefers-reduced-motion: reduce)').matches
  scrollBy({ top: tooLow(element), behavior: calm ? 'auto' : 'smooth' })
  element.classList.add('pointed')
  setTimeout(() => element.classList.remove('pointed'), POINTED_MS)
}

/** How far an element is below the place where it is seen best. */
function tooLow(element: Element): number {
  const panel = document.querySelector('.tour')
  const above = panel && matchMedia(BOTH_FIT).matches ? panel.getBoundingClientRect().height : 0
  return element.getBoundingClientRect().top - above - GAP
}

const SOUGHT_EVERY_MS = 250
const SOUGHT_MS = 10_000

/**
 * The same as soon as the view shows it, and again while figures above it grow, unless the user moves first. The result ends
 * the wait.
 */
function pointSoon(selector: string): () => void {
  const end = new AbortController()
  const limit = setTimeout(() => end.abort(), SOUGHT_MS)
  /** Of the page, when it was last looked at. */
  let height = 0
  const timer = setInterval(() => {
    const element = document.querySelector(`.touring ${selector}`)
    if (element === null) return
    const { scrollHeight } = document.documentElement
    if (height === 0) pointAt(selector)
    // A page that has its size is the user's to scroll.
    else if (scrollHeight !== height && Math.abs(tooLow(element)) > GAP) scrollBy({ top: tooLow(element) })
    height = scrollHeight
  }, SOUGHT_EVERY_MS)
  end.signal.addEventListener('abort', () => {
    clearInterval(timer)
    clearTimeout(limit)
  })
  for (const event of ['wheel', 'keydown', 'pointerdown'])
    addEventListener(event, () => end.abort(), { signal: end.signal, passive: true })
  return () => end.abort()
}

/** Back and next; the arrow keys do the same where nothing else takes them. */
function Ways({ number, children }: { number: number; children: ComponentChildren }) {
  const { params } = useAddress()
  const last = STEPS.length
  const all = hashOf('', models(params))
  useEffect(() => {
    const move = (event: KeyboardEvent) => {
      const by = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0
      const next = number + by
      if (by === 0 || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey || taken(event.target)) return
      if (next < 1 || next > last) return
      event.preventDefault()
      location.hash = hashOfStep(next, params)
    }
    addEventListener('keydown', move)
    return () => removeEventListener('keydown', move)
  }, [number, params])
  return (
    <nav class="tour-steps" aria-label="Steps of the tour">
      {number > 1 && (
        <a class="chip" href={hashOfStep(number - 1, params)} aria-label={`Back: ${STEPS[number - 2]?.title}`}>
          ← Back
        </a>
      )}
      {number < last ? (
        <a class="primary" href={hashOfStep(number + 1, params)}>
          <span>
            Next<span class="of-step">: {STEPS[number]?.title}</span>
          </span>
        </a>
      ) : (
        <a class="primary" href={all}>
          <span>
            The end<span class="of-step">: all views</span>
          </span>
        </a>
      )}
      {children}
      <span class="hint keys">Keys: ← →</span>
      <a class="quiet leave" href={all}>
        <span>
          Leave<span class="of-step"> the tour</span>
        </span>
      </a>
    </nav>
  )
}

/** Whether an element uses the arrow keys itself. */
function taken(target: EventTarget | null): boolean {
  return (
    target instanceof Element &&
    target.closest('input, textarea, select, [role=listbox], [role=application], .scroll') !== null
  )
}
