import type temmlLibrary from 'temml'

/** Temml writes MathML, which browsers draw with their own fonts; it is loaded with the first formula. */
type Temml = Pick<typeof temmlLibrary, 'render'>
let temml: Promise<Temml> | undefined

/** An element that shows a formula: its source until the library is there, and where the formula is not understood. */
export function maths(source: string, display: boolean): Element {
  const element = document.createElement('span')
  element.className = display ? 'maths display' : 'maths'
  element.textContent = source
  temml ??= import('temml').then(library => library.default as Temml)
  temml.then(library => draw(library, element, source, display)).catch(() => element.classList.add('unread'))
  return element
}

function draw(library: Temml, element: HTMLElement, source: string, display: boolean): void {
  try {
    // `trust: false` is the default: no links, classes or images from a formula.
    library.render(source, element, { displayMode: display, throwOnError: true, maxExpand: 200, maxSize: [20, 50] })
  } catch {
    element.textContent = source
    element.classList.add('unread')
  }
}
