/** Which cards hold the model, and how many it takes. */
import { useEffect, useState } from 'preact/hooks'
import { type Machine, machines, plan, smallestRanks } from '../../../../src/planning/index.ts'
import { bytes, whole } from '../../drawing/format.ts'
import { ScrollBox } from '../../drawing/scroll-box.tsx'
import type { PlannerSettings } from './settings.ts'

interface Row {
  readonly machine: Machine
  /** null: no number of cards up to 65,536. */
  readonly cards: number | null
  /** Longest text of each user with that many cards. */
  readonly longest: number
}

/** Trying divisions takes half a second for the largest models: it waits until a slider rests. */
const RESTED_AFTER_MS = 200

export function Cards({ settings }: { settings: PlannerSettings }) {
  const [rows, setRows] = useState<readonly Row[]>()
  const { model, context, batch, cacheType, weights } = settings
  useEffect(() => {
    const timer = setTimeout(() => setRows(rowsOf(settings)), RESTED_AFTER_MS)
    return () => clearTimeout(timer)
  }, [model, context, batch, cacheType, weights])
  return (
    <ScrollBox label="What fits which card">
      <table class="cards" aria-busy={rows === undefined}>
        <thead>
          <tr>
            <th scope="col">Card</th>
            <th scope="col" class="number">
              Memory
            </th>
            <th scope="col" class="number">
              Cards needed
            </th>
            <th scope="col" class="number">
              Longest text then
            </th>
          </tr>
        </thead>
        <tbody>
          {(rows ?? []).map(({ machine, cards, longest }) => (
            <tr key={machine.name} data-card={machine.name}>
              <th scope="row">{machine.title}</th>
              <td class="number">{bytes(machine.memoryBytes ?? 0)}</td>
              <td class="number">{cards === null ? 'none will do' : cards === 1 ? '1 ✓' : whole(cards)}</td>
              <td class="number">{cards === null ? '' : `${whole(longest)} tokens`}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollBox>
  )
}

function rowsOf({ model, context, batch, cacheType, weights }: PlannerSettings): Row[] {
  const options = { context, batch, cacheType, ...(weights !== undefined && { weights }) }
  return machines()
    .filter(machine => machine.memoryBytes !== null)
    .map(machine => {
      const ranks = smallestRanks(model, { ...options, machine })
      if (ranks === null) return { machine, cards: null, longest: 0 }
      const { tensorParallel, dataParallel, expertParallel, total } = ranks
      const p = plan(model, { ...options, machine, tensorParallel, dataParallel, expertParallel })
      return { machine, cards: total, longest: p.memory?.largestContext ?? 0 }
    })
    .sort((a, b) => (a.cards ?? Number.POSITIVE_INFINITY) - (b.cards ?? Number.POSITIVE_INFINITY))
}
