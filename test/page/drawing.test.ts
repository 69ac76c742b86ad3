/** What becomes of a text: nothing dangerous, and nothing drawn twice. */
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect } from 'vitest'
import { CHROMIUM } from './chromium.ts'
import { ended, it, say } from './in-browser.ts'

describe.skipIf(CHROMIUM === undefined)('what is drawn (needs a Chromium)', () => {
  it('turns nothing that a model writes into markup', async ({ open, server }) => {
    const page = await open()
    const hostile = [
      '<script>window.attacked = 1</script>',
      '<img src=x onerror="window.attacked = 1">',
      '![x](https://evil.example/a.png) ![y](javascript:alert(1))',
      '[click](javascript:window.attacked=1) [data](data:text/html,<script>1</script>) [page](https://good.example/ok)',
      '[relative](/v1/models) [other](//evil.example/c) ![z](//evil.example/d.png)',
      '<iframe srcdoc="<script>parent.attacked=1</script>"></iframe>',
      '[a]: javascript:window.attacked=1\n\n[a]',
      '```"><img src=x onerror=window.attacked=1>\ncode\n```',
      '$\\href{javascript:window.attacked=1}{x}$ $\\includegraphics{https://evil.example/b.png}$',
      '| <b onclick=alert(1)>a</b> |\n|--|\n| <svg onload="window.attacked=1"> |',
    ].join('\n\n')
    server.script = reply => {
      reply.chunk({ reasoning_content: hostile })
      for (const character of hostile.match(/.{1,7}/gs) ?? []) reply.chunk({ content: character })
      reply.chunk({
        tool_calls: [{ index: 0, id: '<b>', function: { name: '<img src=x onerror=alert(1)>', arguments: hostile } }],
      })
      reply.end()
    }
    await say(page, hostile)
    await ended(page)
    await page.getByText(/^Reasoned for/).click()
    await sleep(200)
    const script = `[...document.querySelectorAll('.talk script, .talk img, .talk iframe, .talk svg:not(.icon), .talk object, .talk b')].length`
    expect(await page.evaluate(script)).toBe(0)
    expect(await page.evaluate('window.attacked')).toBeUndefined()
    const links = await page
      .locator('.answer > .markdown a')
      .evaluateAll(found => found.map(a => a.getAttribute('href')))
    expect(links).toEqual(['https://evil.example/a.png', 'https://good.example/ok'])
  })

  it('draws only what is new, however long the conversation and the answer', async ({ open, server }) => {
    const page = await open()
    server.script = reply => {
      reply.chunk({ content: 'An early answer.' })
      reply.end()
    }
    await say(page, 'Hi')
    await ended(page)
    await page.evaluate(`(() => {
      window.redrawn = 0
      const watch = node => new MutationObserver(list => { window.redrawn += list.length })
        .observe(node, { childList: true, subtree: true, characterData: true })
      watch(document.querySelector('article.answer'))
      window.longest = 0
      new PerformanceObserver(list => { for (const e of list.getEntries()) window.longest = Math.max(window.longest, e.duration) })
        .observe({ type: 'longtask' })
      window.watchFirst = setInterval(() => {
        const first = document.querySelectorAll('article.answer')[1]?.querySelector('.markdown > p')
        if (first && document.querySelectorAll('article.answer')[1].querySelectorAll('.markdown > *').length > 2) {
          clearInterval(window.watchFirst)
          window.first = first
        }
      }, 20)
    })()`)
    const paragraph = 'Some **words** that are `part` of a long answer, [linked](https://a.example) and all.\n\n'
    server.script = async reply => {
      for (let n = 0; n < 600; n++) {
        for (const part of paragraph.match(/.{1,9}/gs) ?? []) reply.chunk({ content: part })
        if (n % 20 === 0) await sleep(5)
      }
      reply.chunk({ content: '```js\n' })
      for (let n = 0; n < 600; n++) reply.chunk({ content: `const line${n} = ${n}\n` })
      reply.end()
    }
    await say(page, 'A long one')
    await page.locator('article.answer[aria-busy=false]').nth(1).waitFor({ timeout: 30_000 })
    expect(await page.locator('article.answer').last().locator('.markdown > p').count()).toBe(600)
    expect(await page.evaluate('window.redrawn')).toBe(0)
    expect(
      await page.evaluate(
        'window.first === document.querySelectorAll("article.answer")[1].querySelector(".markdown > p")',
      ),
    ).toBe(true)
    expect(await page.evaluate('window.longest')).toBeLessThan(1000)
    // The end stayed in view.
    const below = `(s => s.scrollHeight - s.scrollTop - s.clientHeight)(document.querySelector('.scroll'))`
    expect(await page.evaluate(below)).toBeLessThan(40)
  })
})
