import { createReferenceKernels } from '../../src/kernels/reference/index.ts'
import { runConformance } from './run.ts'

/** Against itself: that outputs are written whole, inputs and guards left alone, and that the identities hold. */
runConformance({ name: 'reference', make: async () => createReferenceKernels() })
