import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { plan } from '../../src/planning/plan.ts'
import { publishedModel } from '../../src/planning/published/index.ts'
import { latentkit, lines, TALES } from '../cli/run.ts'
import { tempFolder } from '../support/temp-folder.ts'

const plain = (text: string) => text.replace(/\s+/g, ' ')
const ask = async (...args: string[]) => {
  const { code, stdout, stderr } = await latentkit(['plan', ...args])
  expect(stderr).toBe('')
  expect(code).toBe(0)
  return stdout
}

describe('latentkit plan', () => {
  it('answers "R1 at 128K for 32 users" in a sentence, bars and tables', async () => {
    const text = await ask('R1', '--context', '128k', '--batch', '32', '--machine', 'h100', '--compare', 'mha,gqa8,mqa')
    expect(plain(text)).toMatch(
      /^DeepSeek-R1 for 32 users at 131,072 tokens each needs 294\.742 GB \(274\.5 GiB\) of cache in bf16, 9\.211 GB \(8\.578 GiB\) for each, beside 673\.151 GB \(626\.92 GiB\) of weights in fp8\./,
    )
    expect(plain(text)).toContain('They do not fit into one NVIDIA H100 SXM (80 GB)')
    expect(plain(text)).toMatch(/16 of them would do \(--dp 16 --ep\)/)
    expect(text).toMatch(/^cache as MHA +█{20,} +16\.768 TB = 15\.25 TiB$/m)
    expect(text).toMatch(/^MHA +3,997,696 +56\.89×/m)
    expect(text).toMatch(/^Cache per token +70,272 B, bf16, 576 numbers in each of 61 layers$/m)
    expect(text).toMatch(/^Sizes from +https:\/\/huggingface\.co\/deepseek-ai\/DeepSeek-V3/m)
  })

  it('what it advises works', async () => {
    const text = plain(await ask(...'R1 --context 128k --batch 32 --machine h100 --dp 16 --ep'.split(' ')))
    expect(text).toMatch(/Divided over 16 ranks, 78\.383 GB \(73 GiB\) each, every share fits into one NVIDIA H100 SXM/)
    expect(text).toContain('links between ranks not counted')
  })

  it('never a size in GB without the same in GiB beside it', async () => {
    const text = plain(
      await ask(...'Llama-3-8B --memory 24GB --machine rtx4090 --compare mha,mqa --tp 2 --dp 2 --batch 7'.split(' ')),
    )
    const named = text.replace(/one NVIDIA [^(]*\([\d.]+ GB\)/g, '').replace(/reads [\d,]+ GB\/s/g, '')
    for (const [amount] of named.matchAll(/[\d.,]+ [KMGT]B\b.{12}/g)) {
      expect(amount).toMatch(/B (\(|= )[\d.]/)
    }
  })

  it('--json is what the library says, in bytes', async () => {
    const args = ['V3', '--context', '100000', '--compare', 'mha', '--cache-type', 'q8_0', '--tp', '4', '--batch', '3']
    const said = JSON.parse(await ask(...args, '--json'))
    const options = { context: 100_000, compare: ['mha'], cacheType: 'q8_0', tensorParallel: 4, batch: 3 }
    expect(said).toEqual(JSON.parse(JSON.stringify(plan(publishedModel('V3'), options))))
    expect(said.cache.bytes).toBe(3 * 100_000 * 37_332)
  })

  it('--csv has a row for the model and each comparison, in plain numbers', async () => {
    const [head, ...rows] = lines(await ask('V3', '--csv', '--compare', 'mha,mqa', '--context', '128k'))
    expect(head).toMatch(/^model,attention,cache_dtype,context,batch,bytes_per_token,/)
    expect(rows.map(r => r.replace(/"[^"]*"/g, 'x').split(',').length)).toEqual(Array(3).fill(head?.split(',').length))
    expect(rows[1]).toContain(',MHA,bf16,131072,1,3997696,')
  })

  it('--markdown is tables that a document takes', async () => {
    const text = await ask('V3', '--markdown', '--compare', 'mha', '--machine', 'h200', '--memory', '141GB')
    const tables = text.split('\n\n').filter(part => part.startsWith('|'))
    expect(tables).toHaveLength(2)
    for (const t of tables) {
      const columns = lines(t).map(l => l.split(' | ').length)
      expect(new Set(columns).size).toBe(1)
      expect(lines(t)[1]).toMatch(/^(\| --- )+\|$/)
    }
  })

  it('takes a config.json, a folder, a GGUF file; the bundled model by default', async () => {
    const config = join(TALES, 'config.json')
    const file = join(TALES, '../../test/fixtures/gguf/qwen2-q5_0.gguf')
    expect(await ask(config)).toMatch(/^Parameters +8\.1 M \(8,100,608\)$/m)
    for (const args of [[], ['tales-mla-8m'], [TALES]]) {
      expect(await ask(...args)).toMatch(/^Weights +16\.201 MB \(15\.451 MiB\), bf16$/m)
    }
    expect(await ask(file)).toMatch(/^Weights +354\.304 KB \(346 KiB\), q5_0 \+ q8_0 \+ f32$/m)
  })

  it('colours only where they are wanted', async () => {
    const colour = '\u001b['
    expect((await latentkit(['plan', 'V3'])).stdout).not.toContain(colour)
    expect((await latentkit(['plan', 'V3'], { env: { FORCE_COLOR: '1' } })).stdout).toContain(colour)
    expect((await latentkit(['plan', 'V3'], { env: { FORCE_COLOR: '1', NO_COLOR: '1' } })).stdout).not.toContain(colour)
    const json = await latentkit(['plan', 'V3', '--json'], { env: { FORCE_COLOR: '1' } })
    expect(json.stdout).not.toContain(colour)
  })

  it('measures this machine, and says "about" instead of "at best"', { timeout: 120_000 }, async () => {
    const text = plain(await ask('--machine', 'measured', '--context', '512'))
    expect(text).toMatch(/on this machine \(\w+ kernels, [\w-]+, \d+ threads?\) about [\d.,]+ tokens\/s\./)
    expect(text).toMatch(/measured just now on the shapes of tales-mla-8m/)
    expect(text).not.toContain('at best')
  })

  it('lists what it knows by name', async () => {
    const models = lines(await ask('--models'))
    expect(models.length).toBeGreaterThan(30)
    expect(models.join('\n')).toMatch(/deepseek-ai\/DeepSeek-V3 +671,026,419,200 +671B \/ 37B +70,272/)
    expect(await ask('--machines')).toMatch(
      /^h100 +NVIDIA H100 SXM +80 GB +3,350 GB\/s +989 +1,979 +NVIDIA H100 datasheet$/m,
    )
  })

  it('notes what was assumed', async () => {
    const unknown = {
      model_type: 'new_llama',
      hidden_size: 64,
      num_hidden_layers: 2,
      num_attention_heads: 4,
      intermediate_size: 128,
      vocab_size: 100,
    }
    const folder = tempFolder({ 'config.json': JSON.stringify(unknown) })
    expect(plain(await ask(folder))).toContain('"new_llama" is not known here')
    expect(plain(await ask('gpt2', '--context', '2048'))).toContain('Note: gpt2 was made for 1,024 tokens.')
    expect(plain(await ask('V3', '--dtype', 'fp8'))).toContain('fp8_ds_mla: 40,016 B per token')
  })

  it('has help with examples that fits 80 columns', async () => {
    const text = await ask('--help')
    for (const line of lines(text).filter(l => !l.includes('$ '))) expect(line.length).toBeLessThanOrEqual(80)
    expect(text).toContain('$ latentkit plan R1 --context 128k --batch 32 --machine h100')
  })
})

describe('wrong questions get a sentence that helps', () => {
  it.each<[string[], RegExp, number]>([
    [['--context', '-5'], /Expected a number of tokens, such as 4096 or 32K/, 2],
    [['--context', '0'], /Expected a number of tokens/, 2],
    [
      ['V3', '--context', '9999999999999'],
      /context is 9,999,999,999,999; expected a whole number of tokens from 1 to/,
      2,
    ],
    [['V3', '--batch', '0'], /Expected an integer of at least 1/, 2],
    [
      ['V3', '--batch', '1000000000', '--context', '1M'],
      /would take .* PB of cache; ask for a smaller context or batch/,
      2,
    ],
    [['V3', '--cache-type', 'int3'], /no cache type "int3"; there are f32, f16, bf16, fp8/, 2],
    [['V3', '--weights', 'q9'], /no weight type "q9"; there are/, 2],
    [['V3', '--machine', 'h9000'], /no machine "h9000" in the table; there are h100,.*measured/, 2],
    [['V3', '--memory', '80'], /such as 80GB \(10\^9 each\) or 10GiB/, 2],
    [['V3', '--memory', '80G'], /such as 80GB/, 2],
    [['V3', '--compare', 'gqa7'], /128 heads .* cannot share 7 key-value heads evenly/, 2],
    [['V3', '--compare', 'lstm'], /nothing called "lstm" to compare with; there are mha/, 2],
    [['Llama-3-8B', '--compare', 'expanded'], /has no latents/, 2],
    [['V3', '--tp', '3'], /128 heads, which 3 tensor-parallel ranks cannot divide evenly/, 2],
    [['Llama-3-8B', '--mtp'], /no layers for multi-token prediction/, 2],
    [['V3', '--dtype', 'q4_k'], /q4_k stores 256 numbers together/, 2],
    [['Llama-3-8B', '--dtype', 'fp8_ds_mla'], /layout for latents/, 2],
    [['V3', '--json', '--csv'], /three forms of one answer/, 2],
    [
      ['gpt-9'],
      /There is no "gpt-9" here, .*expected a config\.json, a folder, a \.gguf file or a name: DeepSeek-V3/,
      1,
    ],
    [['./nowhere/config.json'], /There is no "\.\/nowhere\/config\.json" here/, 1],
    [['package.json'], /package\.json: there are no attention fields; expected num_attention_heads/, 1],
    [['README.md'], /is a file; give the folder that holds config\.json, or a GGUF/, 1],
  ])('%j', async (args, message, expected) => {
    const { code, stdout, stderr } = await latentkit(['plan', ...args])
    expect(stderr).toMatch(message)
    expect(lines(stderr)).toHaveLength(1)
    expect(stderr).not.toContain('defect')
    expect(stdout).toBe('')
    expect(code).toBe(expected)
  })

  it('DeepSeek-V4', async () => {
    const tales = JSON.parse(readFileSync(join(TALES, 'config.json'), 'utf8'))
    const { kv_lora_rank: _, ...rest } = tales
    const folder = tempFolder({
      'config.json': JSON.stringify({ ...rest, model_type: 'deepseek_v4', compress_ratios: [4] }),
    })
    const { code, stderr } = await latentkit(['plan', folder])
    expect(stderr).toMatch(/"deepseek_v4" has no kv_lora_rank but compressed sparse attention/)
    expect(lines(stderr)).toHaveLength(1)
    expect(code).toBe(1)
  })
})
