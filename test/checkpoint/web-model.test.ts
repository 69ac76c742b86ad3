import { expect, it } from 'vitest'
import { isOfHub, modelAt } from '../../src/checkpoint/web/remote-model.ts'

it('a name with a % that is no escape is taken as it is', () => {
  const model = modelAt(new URL('https://example.org/100%.gguf'))
  expect(model.gguf).toBe('100%.gguf')
  expect(model.weights(null)).toMatchObject([{ name: '100%.gguf', url: 'https://example.org/100%25.gguf' }])
})

it('addresses of the hub are those of its origin', () => {
  expect(isOfHub(new URL('https://huggingface.co/a/b/resolve/main/c.gguf'))).toBe(true)
  expect(isOfHub(new URL('https://huggingface.co.example.org/c.gguf'))).toBe(false)
  expect(isOfHub(new URL('http://localhost:8080/c.gguf'), 'http://localhost:8080/hub/')).toBe(true)
  expect(isOfHub(new URL('http://localhost:8081/c.gguf'), 'http://localhost:8080/hub/')).toBe(false)
})
