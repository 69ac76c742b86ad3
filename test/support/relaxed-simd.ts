/** Whether the relaxed set can be tested here. Node 20 has it behind flags, and right only with its optimising compiler. */
import { setFlagsFromString } from 'node:v8'
import { probeRelaxed } from '../../src/kernels/core/wasm/sets.ts'

function whyMissing(): string | null {
  if (!probeRelaxed()) {
    setFlagsFromString('--experimental-wasm-relaxed-simd')
    setFlagsFromString('--no-liftoff')
  }
  const relaxed = probeRelaxed()
  if (!relaxed) return 'this Node has no relaxed SIMD'
  if (!relaxed.exact) return 'the relaxed dot product of this Node is wrong'
  return relaxed.fused ? null : 'this machine does not fuse products and sums'
}

export const relaxedMissing = whyMissing()
