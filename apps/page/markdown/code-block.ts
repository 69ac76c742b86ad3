import { copyText } from '../clipboard.ts'
import type { Token } from './parser.ts'

/** What a fence says of its code. */
function languageOf({ info }: Token): string {
  return info.trim().split(/\s+/, 1)[0] || 'text'
}

/** A block of code with its language and a button that copies it. */
export function codeBlock(token: Token): Element {
  const figure = document.createElement('figure')
  figure.className = 'code'
  const head = document.createElement('figcaption')
  const name = document.createElement('span')
  name.textContent = languageOf(token)
  const button = document.createElement('button')
  button.type = 'button'
  button.className = 'quiet'
  button.textContent = 'Copy'
  button.setAttribute('aria-label', 'Copy code')
  const code = document.createElement('code')
  code.textContent = token.content
  button.onclick = async () => {
    button.textContent = (await copyText(code.textContent ?? '')) ? 'Copied' : 'Not copied'
    setTimeout(() => {
      button.textContent = 'Copy'
    }, 1500)
  }
  const pre = document.createElement('pre')
  head.append(name, button)
  pre.append(code)
  figure.append(head, pre)
  return figure
}

/** Makes `block` show longer content of the same beginning; false if it shows something else. */
export function growCode(block: Element, token: Token): boolean {
  const { content } = token
  const name = block.querySelector('figcaption span')
  const text = block.querySelector('code')?.firstChild
  if (name?.textContent !== languageOf(token) || !(text instanceof Text)) return false
  if (!content.startsWith(text.data)) return false
  text.appendData(content.slice(text.data.length))
  return true
}
