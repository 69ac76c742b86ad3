/** The numbers of a picture, for those who save the view. */
import type { RefObject } from 'preact'
import { useEffect } from 'preact/hooks'
import type { Table } from './csv.ts'

const tables = new WeakMap<Element, () => Table>()

/** What the element shows; made when somebody asks. */
export function useTable(element: RefObject<Element | null>, make: () => Table): void {
  useEffect(() => {
    if (element.current) tables.set(element.current, make)
  })
}

/** The numbers of what is shown within an element, in its order. */
export function tableOf(element: Element): Table | undefined {
  return tables.get(element)?.()
}
