/** Prompts under a budget wait for each other, also for those that are not running yet. */
import { expect, it } from 'vitest'
import { createReferenceKernels } from '../../src/kernels/reference/index.ts'
import { randomLatentConfig } from '../support/random-model.ts'
import { Rng } from '../support/rng.ts'
import { tempFolder } from '../support/temp-folder.ts'
import { HostLab } from './host-lab.ts'

const CONTEXT = 320
const TALE = 'Once upon a time there was a fox who lived in the wood with three bears and a king. '.repeat(4)
const OPTIONS = { temperature: 0, maxTokens: 4 }

/** Two sessions that fill the cache; the second one's next prompt is looked for on the disk until `found` is called. */
async function lookingFor() {
  const kernels = createReferenceKernels()
  const config = { ...randomLatentConfig(new Rng(11)), num_hidden_layers: 1 }
  let mayList = async () => {}
  const lab = await HostLab.open({
    kernels,
    config,
    contextLength: CONTEXT,
    cacheDir: tempFolder(),
    cacheBytes: 18 * 16 * 70,
    mayList: () => mayList(),
  })
  expect(lab.parts.model.layout.bytesPerToken).toBe(70)
  const [a, b] = [lab.session(), lab.session()]
  for (const session of [a, b]) await lab.prompt(session, `${session}. ${TALE.slice(0, 200)}`, OPTIONS)
  // What b goes on with is looked for on the disk, for as long as that takes.
  let found = () => {}
  const looking = new Promise<void>(looks => {
    mayList = () => {
      looks()
      return new Promise(resolve => {
        found = resolve
      })
    }
  })
  const reading = lab.prompt(b, TALE.slice(0, 100), OPTIONS)
  await looking
  mayList = async () => {}
  const end = async () => {
    await lab.dispose()
    kernels.dispose()
  }
  return { lab, a: a as number, reading, found: () => found(), end }
}

it('a prompt waits for one that still reads from the disk, and whose session holds what it needs', async () => {
  const { lab, a, reading, found, end } = await lookingFor()
  setTimeout(found, 300)
  const running = await lab.prompt(a, TALE.slice(0, 150), OPTIONS)
  expect(running.tokenIds).toHaveLength(4)
  expect((await reading).tokenIds).toHaveLength(4)
  await end()
})

it('a prompt that waits for a disk that hangs can be given up', async () => {
  const { lab, a, reading, found, end } = await lookingFor()
  const id = lab.peekId()
  const running = lab.prompt(a, TALE.slice(0, 150), OPTIONS)
  await new Promise(resolve => setTimeout(resolve, 100))
  lab.abort(id)
  expect((await running).finishReason).toBe('aborted')
  found()
  expect((await reading).tokenIds).toHaveLength(4)
  await end()
})
