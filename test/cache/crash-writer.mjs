// Writes blocks FROM, FROM + 1, … into a store and says each that is kept, until it is killed.
import { DiskPlace } from '../../dist/src/cache/disk/disk-place.js'
import { BlockStore } from '../../dist/src/cache/stored/block-store.js'
import { blockOf } from './stored-block.mjs'

const [folder, fingerprint, from] = process.argv.slice(2)
const store = new BlockStore({
  place: new DiskPlace(folder),
  fingerprint,
  label: 'a model',
  maxBytes: 1e9,
  onNotice: console.error,
})
process.stdout.write('-1\n')
for (let n = Number(from); ; n++) {
  if (await store.write(blockOf(n, fingerprint))) process.stdout.write(`${n}\n`)
}
