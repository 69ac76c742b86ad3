/** A view as one HTML file that needs nothing else: its text, its pictures, and the numbers of each as CSV. */
import { csv } from './csv.ts'
import { save } from './save.ts'
import { tableOf } from './table.ts'

/** What only works in the explorer itself. */
const LEFT_OUT = [
  ...[
    '.saves',
    '.presets',
    '.model-buttons',
    '.view-foot',
    '.spacer',
    '.skip',
    '.hidden',
    '.beside',
    '.into',
    '.onward',
  ],
  ...['input[type=file]', 'input[type=range]', '.tour'],
].join()
/** Buttons that are a part of what is shown. */
const SHOWN = '.token, .word, .head'
/** Numbers of a picture beyond this stay in the explorer: the file is to be opened, too. */
const MAX_NUMBERS = 2 ** 20

const STYLE = 'data-style'
/** Nothing in it is drawn or loaded. */
const INERT = document.implementation.createHTMLDocument('')

/** Saves what is shown in `main`, under the title and address that the view has now. */
export function saveView(main: HTMLElement, name: string): void {
  save(new Blob([viewFile(main)], { type: 'text/html' }), `${name}.html`)
}

function viewFile(main: HTMLElement): string {
  // The page's policy forbids markup with styles: they have another name until the file is written.
  const copy = INERT.createElement('div')
  copy.innerHTML = main.outerHTML.replaceAll(' style="', ` ${STYLE}="`)
  const originals = [main, ...main.querySelectorAll('*')]
  const copies = [...copy.querySelectorAll('*')]
  for (const [i, original] of originals.entries()) {
    const own = copies[i] as Element
    if (original instanceof HTMLCanvasElement) own.replaceWith(pictureOf(original))
    if (original instanceof HTMLTextAreaElement || original instanceof HTMLInputElement) {
      if (original.type !== 'file' && original.type !== 'range') own.replaceWith(element('span', original.value))
    }
    if (original instanceof HTMLSelectElement) {
      own.replaceWith(element('strong', original.selectedOptions[0]?.textContent ?? ''))
    }
    const table = tableOf(original)
    if (table && table.rows.length * table.columns.length <= MAX_NUMBERS) own.after(numbersOf(csv(table)))
  }
  for (const one of copy.querySelectorAll(LEFT_OUT)) one.remove()
  for (const one of copy.querySelectorAll('button')) replaceButton(one)
  for (const one of copy.querySelectorAll('a[href^="#"]')) one.replaceWith(...one.childNodes)
  for (const one of copy.querySelectorAll('label')) one.replaceWith(renamed('div', one))
  for (const one of copy.querySelectorAll('details')) one.open = !one.classList.contains('numbers')
  for (const one of copy.querySelectorAll('[tabindex], [role]')) quieten(one)
  copy.firstElementChild?.append(element('p', `Made by latentkit’s explorer: ${location.hash || '#/'}`, 'hint'))
  return page(copy.innerHTML.replaceAll(` ${STYLE}="`, ' style="'))
}

function element(tag: string, text: string, className = ''): HTMLElement {
  const made = INERT.createElement(tag)
  made.textContent = text
  made.className = className
  return made
}

function renamed(tag: string, one: Element): HTMLElement {
  const made = element(tag, '', one.className)
  const style = one.getAttribute(STYLE)
  if (style !== null) made.setAttribute(STYLE, style)
  made.append(...one.childNodes)
  return made
}

/** Pixels as they are seen. */
function pictureOf(canvas: HTMLCanvasElement): HTMLImageElement {
  const picture = INERT.createElement('img')
  const { width, height } = canvas.getBoundingClientRect()
  picture.src = canvas.toDataURL()
  picture.setAttribute(
    STYLE,
    `${canvas.getAttribute('style') ?? ''};width:${width}px;height:${height}px;max-width:100%`,
  )
  picture.alt =
    canvas.getAttribute('aria-label') ?? canvas.closest('[aria-label]')?.getAttribute('aria-label') ?? 'A picture'
  return picture
}

function numbersOf(text: string): HTMLElement {
  const details = element('details', '', 'numbers')
  details.append(element('summary', 'The numbers, as CSV'), element('pre', text))
  return details
}

/** What was chosen stays, as text; what could have been goes. */
function replaceButton(button: HTMLButtonElement): void {
  if (button.matches(SHOWN)) {
    const span = renamed('span', button)
    if (button.getAttribute('aria-pressed') === 'true') span.dataset.chosen = ''
    button.replaceWith(span)
  } else if (button.getAttribute('aria-pressed') === 'true') button.replaceWith(renamed('strong', button))
  else button.remove()
}

/** Nothing is operated in a file. */
function quieten(one: Element): void {
  one.removeAttribute('tabindex')
  const role = one.getAttribute('role')
  if (role === 'img') return
  one.removeAttribute('role')
  for (const { name } of [...one.attributes]) if (name.startsWith('aria-') && role !== null) one.removeAttribute(name)
}

function page(main: string): string {
  const styles = [...document.styleSheets].flatMap(sheet => [...sheet.cssRules].map(rule => rule.cssText))
  const own =
    'body{padding:1rem}main{max-width:74rem;margin:0 auto}pre{overflow:auto;max-height:20rem;font-size:.75rem}'
  const chosen = '[data-chosen]{outline:2px solid}span.token,span.word,span.head{display:inline-grid}'
  const { theme = matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light' } =
    document.documentElement.dataset
  const head = INERT.createElement('head')
  head.innerHTML = '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
  const policy = INERT.createElement('meta')
  policy.httpEquiv = 'content-security-policy'
  policy.content = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
  head.append(policy, element('title', document.title), element('style', [...styles, own, chosen].join('\n')))
  return `<!doctype html>\n<html lang="en" data-theme="${theme}">${head.outerHTML}<body>${main}</body></html>\n`
}
