/** Pictures as files. */

/** What a copy of a picture needs of its style sheet, since a file has none. */
const STYLED = [
  ...['fill', 'stroke', 'stroke-width', 'stroke-dasharray', 'stroke-linecap', 'stroke-linejoin', 'opacity'],
  ...['font-family', 'font-size', 'font-weight', 'text-anchor', 'dominant-baseline', 'paint-order'],
]

export async function saveSvg(svg: SVGSVGElement, name: string): Promise<void> {
  save(new Blob([standalone(svg)], { type: 'image/svg+xml' }), `${name}.svg`)
}

export async function savePng(svg: SVGSVGElement, name: string): Promise<void> {
  await saveAsPng(standalone(svg), svg.getBoundingClientRect(), name)
}

/** Several pictures as they stand in a frame, with the texts between them that have `data-drawn`. */
export async function saveFrame(frame: HTMLElement, kind: 'svg' | 'png', name: string): Promise<void> {
  const whole = frame.getBoundingClientRect()
  const parts = [...frame.querySelectorAll<HTMLElement | SVGSVGElement>('svg, canvas, [data-drawn]')].map(part => {
    const { left, top, width, height } = part.getBoundingClientRect()
    const [x, y] = [left - whole.left, top - whole.top]
    if (part instanceof SVGSVGElement) return standalone(part).replace('<svg', `<svg x="${x}" y="${y}"`)
    if (part instanceof HTMLCanvasElement)
      return `<image x="${x}" y="${y}" width="${width}" height="${height}" preserveAspectRatio="none" href="${part.toDataURL()}" style="image-rendering:pixelated"/>`
    const { color, fontSize, fontFamily } = getComputedStyle(part)
    const text = document.createElementNS('http://www.w3.org/2000/svg', 'text')
    for (const [attribute, value] of Object.entries({ x, y: y + height * 0.75, fill: color }))
      text.setAttribute(attribute, String(value))
    text.setAttribute('font-size', fontSize)
    text.setAttribute('font-family', fontFamily)
    text.textContent = part.dataset.drawn ?? ''
    return new XMLSerializer().serializeToString(text)
  })
  const paper = getComputedStyle(document.body).backgroundColor
  const source = `<svg xmlns="http://www.w3.org/2000/svg" width="${whole.width}" height="${whole.height}"><rect width="100%" height="100%" fill="${paper}"/>${parts.join('')}</svg>`
  if (kind === 'png') await saveAsPng(source, whole, name)
  else save(new Blob([source], { type: 'image/svg+xml' }), `${name}.svg`)
}

/** Twice as fine as on the screen. */
async function saveAsPng(
  svg: string,
  { width, height }: { readonly width: number; readonly height: number },
  name: string,
): Promise<void> {
  const image = new Image()
  const url = URL.createObjectURL(new Blob([svg], { type: 'image/svg+xml' }))
  try {
    image.src = url
    await image.decode()
    const canvas = document.createElement('canvas')
    canvas.width = width * 2
    canvas.height = height * 2
    canvas.getContext('2d')!.drawImage(image, 0, 0, canvas.width, canvas.height)
    await saveCanvas(canvas, name)
  } finally {
    URL.revokeObjectURL(url)
  }
}

export async function saveCanvas(canvas: HTMLCanvasElement, name: string): Promise<void> {
  const blob = await new Promise<Blob | null>(resolve => canvas.toBlob(resolve))
  if (blob !== null) save(blob, `${name}.png`)
}

/** Pixels as they are, in a picture that programs for SVG place and scale. */
export async function saveCanvasInSvg(canvas: HTMLCanvasElement, name: string): Promise<void> {
  const { width, height } = canvas.getBoundingClientRect()
  const image = `<image href="${canvas.toDataURL()}" width="${width}" height="${height}" style="image-rendering:pixelated"/>`
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${image}</svg>`
  save(new Blob([svg], { type: 'image/svg+xml' }), `${name}.svg`)
}

export function save(blob: Blob, name: string): void {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(blob)
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000)
}

/** The picture with its styles and its paper, as a file of its own. */
function standalone(svg: SVGSVGElement): string {
  const copy = svg.cloneNode(true) as SVGSVGElement
  const { width, height } = svg.getBoundingClientRect()
  copy.setAttribute('xmlns', 'http://www.w3.org/2000/svg')
  copy.setAttribute('width', String(width))
  copy.setAttribute('height', String(height))
  const originals = svg.querySelectorAll('*')
  for (const [i, element] of [...copy.querySelectorAll('*')].entries()) {
    const style = getComputedStyle(originals[i] as Element)
    element.removeAttribute('class')
    element.removeAttribute('style')
    for (const name of STYLED) {
      const value = style.getPropertyValue(name)
      if (value !== '') element.setAttribute(name, value)
    }
  }
  const paper = document.createElementNS('http://www.w3.org/2000/svg', 'rect')
  paper.setAttribute('width', '100%')
  paper.setAttribute('height', '100%')
  paper.setAttribute('fill', getComputedStyle(document.body).backgroundColor)
  copy.prepend(paper)
  return new XMLSerializer().serializeToString(copy)
}
