export { createNativeKernels, type NativeOptions, nativeUnavailable } from './addon.ts'
