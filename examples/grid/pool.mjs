/**
 * The usual way to fewer heads of keys and values (Ainslie and others, arXiv 2305.13245, section 2.1): each group's head is the mean of those that it replaces, and the
 * model is trained on for a while.
 */
import { readNumbers } from '../ladder/files.mjs'

/** Weights of the decoder before its blocks, and of a block: its norms, queries, keys, values and output, the MLP's three matrices. */
const [BEFORE, EACH] = [3, 9]
const [KEYS, VALUES] = [2, 3]

/** Numbers of MHA's `heads` in a file, as weights of these lengths, which have `groups` heads of keys and values. */
export async function readPooled(path, lengths, heads, groups) {
  const each = heads / groups
  const isPooled = i => i >= BEFORE && [KEYS, VALUES].includes((i - BEFORE) % EACH)
  const whole = await readNumbers(
    path,
    lengths.map((length, i) => (isPooled(i) ? each * length : length)),
  )
  return whole.map((values, i) => (isPooled(i) ? means(values, heads, groups) : values))
}

function means(values, heads, groups) {
  const [head, each] = [values.length / heads, heads / groups]
  return Float32Array.from({ length: groups * head }, (_, i) => {
    const first = Math.floor(i / head) * each * head + (i % head)
    let sum = 0
    for (let h = 0; h < each; h++) sum += values[first + h * head]
    return sum / each
  })
}
