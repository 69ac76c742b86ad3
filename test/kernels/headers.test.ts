/** Every header of the core compiles by itself, as an editor sees it: with its own includes and without a set's name. */
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const NATIVE = fileURLToPath(new URL('../../native', import.meta.url))
const COMPILER = process.env.CXX || 'g++'
const missing = spawnSync(COMPILER, ['--version']).status === 0 ? null : `there is no ${COMPILER}`

/** Headers of one machine or compiler: those of the other sets. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  'simd/neon.h': 'arm64',
  'simd/wasm.h': 'wasm',
  'simd/wasm-common.h': 'wasm',
  'simd/wasm-relaxed.h': 'wasm',
}
const AVX512 = ['-mavx512f', '-mavx512bw', '-mavx512dq', '-mavx512vl', '-mavx512vnni', '-mavx2', '-mfma', '-mf16c']
const FLAGS: Readonly<Record<string, readonly string[]>> = {
  'simd/avx2.h': ['-mavx2', '-mfma', '-mf16c'],
  'simd/avx512.h': AVX512,
  'simd/amx.h': [...AVX512, '-mavx512bf16', '-mamx-tile', '-mamx-bf16', '-mamx-int8'],
}

const headers = readdirSync(NATIVE, { recursive: true, encoding: 'utf8' })
  .map(file => file.replaceAll('\\', '/'))
  .filter(file => file.endsWith('.h') && (ELSEWHERE[file] ?? process.arch) === process.arch)
  .filter(file => process.arch === 'x64' || !FLAGS[file])
  .sort()

function compile(text: string, flags: readonly string[] = []): string {
  const args = ['-std=c++20', '-fsyntax-only', '-Werror=switch', '-I', NATIVE, ...flags, '-x', 'c++', '-']
  return spawnSync(COMPILER, args, { input: text, encoding: 'utf8' }).stderr
}

describe.skipIf(missing)(missing ? `headers of the core (${missing})` : 'headers of the core', () => {
  it('are found', () => {
    expect(headers.length).toBeGreaterThan(60)
    expect(headers).toContain('ops/attention/decode/span.h')
  })

  it.each(headers)('%s compiles by itself', header => {
    expect(compile(`#include "${header}"\n`, FLAGS[header])).not.toMatch(/error/)
  })

  it('each names what it includes, once', () => {
    for (const header of headers) {
      const text = readFileSync(join(NATIVE, header), 'utf8')
      expect(text, header).toMatch(/^#pragma once$/m)
      const included = [...text.matchAll(/^#include (.*)$/gm)].map(match => match[1])
      expect(new Set(included).size, header).toBe(included.length)
    }
  })

  it('a type that a switch does not know is an error of the build', () => {
    const forgetful = `
      #include "core/base.h"
      int known(latentkit::Dtype dtype) { switch (dtype) { case latentkit::F32: return 1; } return 0; }`
    expect(compile(forgetful)).toMatch(/error.*not handled in switch/)
    const silent = headers.filter(header => /^ *default:/m.test(readFileSync(join(NATIVE, header), 'utf8')))
    expect(silent).toEqual([])
  })

  it('the build writes compile_commands.json', async () => {
    const build = fileURLToPath(new URL('../../scripts/build-native.mjs', import.meta.url))
    const { writeCompileCommands } = (await import(build)) as { writeCompileCommands(file: string): string }
    const commands = JSON.parse(readFileSync(writeCompileCommands(join(tmpdir(), `${process.pid}.json`)), 'utf8'))
    const files = commands.map((entry: { file: string }) => entry.file)
    expect(files).toContain(join(NATIVE, 'isa.cpp'))
    expect(files.every((file: string) => file.startsWith(NATIVE))).toBe(true)
  })
})
