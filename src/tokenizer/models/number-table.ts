/** A map from numbers to numbers, for millions of entries: open addressing in two flat arrays. */
export class NumberTable {
  #keys: Float64Array
  #values: Int32Array
  #mask: number
  #size = 0

  constructor(expected = 0) {
    let capacity = 16
    while (capacity < expected * 2) capacity *= 2
    this.#keys = new Float64Array(capacity).fill(-1)
    this.#values = new Int32Array(capacity)
    this.#mask = capacity - 1
  }

  /** The value of a key; -1 if absent. Keys and values are non-negative integers. */
  get(key: number): number {
    const slot = this.#slotOf(key)
    return this.#keys[slot] === key ? this.#values[slot]! : -1
  }

  set(key: number, value: number): void {
    if (this.#size * 2 > this.#mask) this.#grow()
    const slot = this.#slotOf(key)
    if (this.#keys[slot] !== key) this.#size++
    this.#keys[slot] = key
    this.#values[slot] = value
  }

  #slotOf(key: number): number {
    // Hashes both halves of a 53-bit key, with the factors of MurmurHash3's finaliser.
    let hash = ((key % 0x1_0000_0000) | 0) ^ Math.imul((key / 0x1_0000_0000) | 0, 0x9e3779b1)
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
    let slot = (hash ^ (hash >>> 16)) & this.#mask
    while (this.#keys[slot] !== key && this.#keys[slot] !== -1) slot = (slot + 1) & this.#mask
    return slot
  }

  #grow(): void {
    const [keys, values] = [this.#keys, this.#values]
    this.#keys = new Float64Array(keys.length * 2).fill(-1)
    this.#values = new Int32Array(keys.length * 2)
    this.#mask = keys.length * 2 - 1
    for (let i = 0; i < keys.length; i++) {
      if (keys[i] === -1) continue
      const slot = this.#slotOf(keys[i]!)
      this.#keys[slot] = keys[i]!
      this.#values[slot] = values[i]!
    }
  }
}
