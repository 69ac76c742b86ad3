import { codeBlock } from './code-block.ts'
import { safeAddress } from './links.ts'
import { maths } from './maths.ts'
import type { Token } from './parser.ts'

/** Tags that tokens may ask for. */
const TAGS = new Set(
  'p h1 h2 h3 h4 h5 h6 blockquote ul ol li hr em strong s code br table thead tbody tr th td'.split(' '),
)
/** Deeper nesting is of no use to readers, and browsers slow down. */
const DEEPEST = 60

/**
 * Elements for tokens, built node by node: what a model writes becomes text and a few known elements, never markup, and
 * nothing is loaded from anywhere.
 */
export function elements(tokens: readonly Token[]): DocumentFragment {
  const root = document.createDocumentFragment()
  const stack: Node[] = [root]
  const top = () => stack[Math.min(stack.length, DEEPEST) - 1]!
  for (const token of tokens) {
    if (token.nesting < 0) stack.pop()
    else if (token.nesting > 0) {
      // The paragraphs of a tight list are only their content.
      const element = token.hidden ? top() : opened(token)
      if (!token.hidden) top().appendChild(element)
      stack.push(element)
    } else if (token.type === 'inline') top().appendChild(elements(token.children ?? []))
    else {
      if (token.hidden) continue
      top().appendChild(single(token))
    }
  }
  for (const table of root.querySelectorAll('table')) scrolled(table)
  return root
}

function opened(token: Token): Element {
  if (token.type === 'link_open') return link(attribute(token, 'href'))
  const element = document.createElement(TAGS.has(token.tag) ? token.tag : 'span')
  if (token.tag === 'ol') element.setAttribute('start', String(Number(attribute(token, 'start') || 1)))
  const align = /text-align:(left|center|right)/.exec(attribute(token, 'style'))?.[1]
  if (align !== undefined) element.classList.add(align)
  return element
}

function single(token: Token): Node {
  switch (token.type) {
    case 'fence':
    case 'code_block':
      return codeBlock(token)
    case 'code_inline': {
      const code = document.createElement('code')
      code.textContent = token.content
      return code
    }
    case 'softbreak':
      return document.createTextNode('\n')
    case 'hardbreak':
      return document.createElement('br')
    case 'hr':
      return document.createElement('hr')
    case 'maths':
    case 'maths_display':
      return maths(token.content, token.type === 'maths_display')
    case 'image': {
      // To load it would tell another host that this text was read.
      const address = attribute(token, 'src')
      const element = link(address)
      element.textContent = `Image: ${token.content || address}`
      return element
    }
    default:
      return document.createTextNode(token.content)
  }
}

function attribute(token: Token, name: string): string {
  return String(token.attrGet(name) ?? '')
}

function link(href: string): Element {
  const address = safeAddress(href)
  if (address === undefined) return document.createElement('span')
  const element = document.createElement('a')
  element.href = address
  element.title = address
  element.target = '_blank'
  element.rel = 'noopener noreferrer nofollow'
  return element
}

/** A wide table scrolls in a frame of its own. */
function scrolled(table: Element): void {
  const frame = document.createElement('div')
  frame.className = 'table-frame'
  table.replaceWith(frame)
  frame.appendChild(table)
}
