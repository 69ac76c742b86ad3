/** Rows of the grid's table: each kind of attention in each task, means over seeds with their intervals, and differences from one kind by the same seeds. */
import { interval, verdict } from './intervals.mjs'

export function summary({ tasks, attention, against, margin }, results) {
  return Object.keys(tasks).flatMap(task =>
    Object.keys(attention).flatMap(kind => {
      const own = of(results, task, kind)
      if (own.length === 0) return []
      const base = new Map(of(results, task, against).map(one => [one.seed, one]))
      const paired = own.filter(({ seed }) => base.has(seed))
      const { bytesPerToken, parameters, right } = own[0]
      const compared = kind !== against && paired.length > 0
      const difference = compared ? interval(paired.map(one => one.loss - base.get(one.seed).loss)) : null
      return [
        {
          ...{ task, attention: kind, bytesPerToken, parameters, runs: own.length },
          loss: interval(own.map(({ loss }) => loss)),
          right: right === null ? null : interval(own.map(({ right }) => right)),
          difference,
          verdict: difference && verdict(difference, margin),
          // Runs of earlier versions do not have it.
          rise: own.some(({ rise }) => rise === undefined) ? null : Math.max(...own.map(({ rise }) => rise)),
        },
      ]
    }),
  )
}

function of(results, task, kind) {
  return results.filter(one => one.task === task && one.attention === kind)
}
