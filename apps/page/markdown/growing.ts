import { splitBlocks } from './blocks.ts'
import { growCode } from './code-block.ts'
import { elements } from './elements.ts'
import { parseMarkdown, type References, type Token } from './parser.ts'

/**
 * Markdown that grows at its end. Blocks that have ended are neither parsed nor drawn again, so that a long answer costs
 * as much per frame as a short one; the last block is drawn again, or only extended where it is code.
 */
export class GrowingMarkdown {
  readonly #root: Element
  #text = ''
  /** Where the last block begins, which may still change. */
  #open = 0
  /** The nodes of the last block. */
  #nodes: ChildNode[] = []
  #references: References = { references: {} }

  constructor(root: Element) {
    this.#root = root
  }

  /** Shows `text`; `ended` when it will not grow any more. */
  update(text: string, ended: boolean): void {
    if (!text.startsWith(this.#text)) this.#restart()
    this.#text = text
    const { settled, last, open, references, hasReferences } = splitBlocks(text, this.#open, this.#references)
    if (settled.length > 0) {
      // The first of them may be the block that was open.
      this.#replaceOpen(settled.flat())
      this.#nodes = []
    }
    this.#open = open
    this.#references = references
    if (!this.#extendCode(last)) this.#replaceOpen(last)
    // A reference may be defined after the link that uses it.
    if (ended && hasReferences && open > 0) {
      this.#restart()
      this.#root.append(elements(parseMarkdown(text, {})))
      this.#text = text
    }
  }

  #restart(): void {
    this.#root.replaceChildren()
    this.#nodes = []
    this.#text = ''
    this.#open = 0
    this.#references = { references: {} }
  }

  #extendCode(tokens: readonly Token[]): boolean {
    const [token] = tokens
    const [node] = this.#nodes
    if (tokens.length !== 1 || token?.type !== 'fence' || !(node instanceof Element)) return false
    return growCode(node, token)
  }

  #replaceOpen(tokens: readonly Token[]): void {
    for (const node of this.#nodes) node.remove()
    const fragment = elements(tokens)
    this.#nodes = [...fragment.childNodes]
    this.#root.append(fragment)
  }
}
