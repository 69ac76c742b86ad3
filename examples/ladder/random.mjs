/** Random numbers that are the same everywhere (mulberry32): a function that gives whole numbers below its argument. */
export function random(seed) {
  let state = seed >>> 0
  return below => {
    state = (state + 0x6d2b79f5) >>> 0
    let z = state
    z = Math.imul(z ^ (z >>> 15), z | 1)
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61)
    return Math.floor((((z ^ (z >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}

/** So many of a list, each at most once. */
export function some(list, count, next) {
  const left = [...list]
  return Array.from({ length: count }, () => left.splice(next(left.length), 1)[0])
}

/** The last row of logits of each of several texts of these lengths. */
export async function lastRows(bench, logits, lengths) {
  const numbers = await bench.read(logits)
  const width = logits.shape[1]
  let at = 0
  return lengths.map(n => {
    at += n
    return numbers.subarray((at - 1) * width, at * width)
  })
}

/** The id of the largest of logits. */
export function likeliest(row) {
  return row.indexOf(Math.max(...row))
}

/** An id drawn by the softmax of logits. */
export function drawn(row, next) {
  const most = Math.max(...row)
  const shares = Array.from(row, x => Math.exp(x - most))
  let left = (next(2 ** 30) / 2 ** 30) * shares.reduce((a, b) => a + b, 0)
  const found = shares.findIndex(share => {
    left -= share
    return left < 0
  })
  return found < 0 ? shares.length - 1 : found
}
