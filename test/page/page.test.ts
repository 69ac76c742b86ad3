/** The chat page in a real Chromium, against a server whose answers each test writes. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { CHROMIUM, openBrowser } from './chromium.ts'
import { StandIn } from './stand-in.ts'

describe.skipIf(CHROMIUM === undefined)('the chat page (needs a Chromium)', () => {
  let browser: Browser
  let server: StandIn
  /** Everything that pages of this test asked for, and what they complained about. */
  const requested: string[] = []
  const complaints: string[] = []

  beforeAll(async () => {
    browser = await openBrowser()
  })
  afterAll(() => browser?.close())
  beforeEach(async () => {
    server = await StandIn.open()
    requested.length = 0
    complaints.length = 0
  })
  afterEach(async () => {
    for (const context of browser.contexts()) await context.close()
    const { url } = server
    await server[Symbol.asyncDispose]()
    // Whatever a test does, no other host is asked.
    expect(requested.filter(other => !other.startsWith(url) && !other.startsWith('blob:'))).toEqual([])
    expect(complaints).toEqual([])
  })

  async function open(options: BrowserContextOptions = {}): Promise<Page> {
    const context = await browser.newContext({ viewport: { width: 1100, height: 800 }, ...options })
    context.setDefaultTimeout(20_000)
    const page = await context.newPage()
    page.on('request', request => requested.push(request.url()))
    page.on('pageerror', error => complaints.push(error.message))
    page.on('console', message => {
      const { type, text } = { type: message.type(), text: message.text() }
      if (type === 'error' && !text.startsWith('Failed to load resource')) complaints.push(text)
    })
    await page.goto(server.url)
    await page.locator('#composer').waitFor()
    return page
  }

  async function say(page: Page, text: string): Promise<void> {
    await page.locator('#composer').fill(text)
    await page.keyboard.press('Enter')
  }

  const answer = (page: Page) => page.locator('article.answer').last()
  const ended = (page: Page) => page.locator('article.answer[aria-busy=false] .numbers li.tokens').last().waitFor()
  const messages = () => server.lastBody.messages as { role: string; content: string }[]

  it('shows an answer while it arrives, then its speed and cached tokens', async () => {
    const page = await open()
    let finish = () => {}
    server.script = async reply => {
      reply.raw(': ping\n\n')
      reply.chunk({ role: 'assistant', content: '' })
      reply.event({ choices: [], prompt_progress: { total: 200, processed: 50 } })
      await page.getByText('Reading the prompt, 25 %').waitFor()
      reply.chunk({ content: 'The first ' })
      await new Promise<void>(resolve => {
        finish = resolve
      })
      reply.chunk({ content: '**words**.' })
      reply.end()
    }
    await say(page, 'Hi')
    await answer(page).getByText('The first').waitFor()
    expect(await page.getByRole('button', { name: 'Stop' }).isVisible()).toBe(true)
    finish()
    await ended(page)
    expect(await answer(page).locator('strong').textContent()).toBe('words')
    const numbers = await answer(page).locator('.numbers').textContent()
    expect(numbers).toContain('43 tokens/s')
    expect(numbers).toContain('20 tokens')
    expect(numbers).toContain('150 of 200 cached')
    // Screen readers get sentences, not tokens.
    await expect.poll(() => page.locator('[aria-live=polite]').textContent()).toContain('words**. Answer complete.')
    expect(server.lastBody).toMatchObject({ model: 'small', stream: true, stream_options: { include_usage: true } })
  })

  it('stops on Escape, keeps what had arrived, and continues from it', async () => {
    const page = await open()
    let closed: AbortSignal | undefined
    server.script = reply => {
      closed = reply.closed.signal
      reply.chunk({ content: 'Half an ans' })
    }
    await say(page, 'Hi')
    await answer(page).getByText('Half an ans').waitFor()
    await page.keyboard.press('Escape')
    await answer(page).getByText('Stopped.').waitFor()
    await expect.poll(() => closed?.aborted).toBe(true)
    server.script = reply => reply.end()
    await say(page, 'Go on')
    await answer(page).getByText('The answer is empty.').waitFor()
    expect(messages().map(({ content }) => content)).toEqual(['Hi', 'Half an ans', 'Go on'])
  })

  it('continues an answer that ended early, as another version', async () => {
    const page = await open()
    server.script = reply => {
      reply.chunk({ content: 'Half an ans' })
      reply.end('length')
    }
    await say(page, 'Hi')
    await page.getByText('The answer ended at its limit of tokens.').waitFor()
    server.script = reply => {
      reply.chunk({ content: 'wer.' })
      reply.end()
    }
    await page.getByRole('button', { name: 'Continue' }).click()
    await page.getByRole('main').getByText('Half an answer.').waitFor()
    await page.getByText('2/2').waitFor()
    await expect.poll(() => page.getByRole('button', { name: 'Continue' }).count()).toBe(0)
    expect(server.lastBody).toMatchObject({ continue_final_message: true, add_generation_prompt: false })
    expect(messages().at(-1)).toEqual({ role: 'assistant', content: 'Half an ans' })
  })

  it('edits the last message with the up key and keeps both versions', async () => {
    const page = await open()
    server.script = (reply, { body }) => {
      const last = (body.messages as { content: string }[]).at(-1)
      reply.chunk({ content: `Re: ${last?.content}` })
      reply.end()
    }
    await say(page, 'one')
    await ended(page)
    await page.keyboard.press('ArrowUp')
    const editor = page.getByLabel('Edit message')
    expect(await editor.inputValue()).toBe('one')
    await editor.fill('two')
    await editor.press('Enter')
    await page.getByRole('main').getByText('Re: two').waitFor()
    await ended(page)
    expect(messages()).toEqual([{ role: 'user', content: 'two' }])
    await page.locator('article.user').getByLabel('Earlier version').click()
    await page.getByRole('main').getByText('Re: one').waitFor()
    expect(await page.getByRole('main').getByText('Re: two').count()).toBe(0)
  })

  it('tries an answer again and keeps the earlier one', async () => {
    const page = await open()
    let n = 0
    server.script = reply => {
      reply.chunk({ content: `try ${++n}` })
      reply.end()
    }
    await say(page, 'Hi')
    await ended(page)
    await page.getByRole('button', { name: 'Try again' }).click()
    await page.getByRole('main').getByText('try 2').waitFor()
    expect(messages()).toEqual([{ role: 'user', content: 'Hi' }])
    await page.locator('article.answer').getByLabel('Earlier version').click()
    await page.getByRole('main').getByText('try 1').waitFor()
  })

  it('sends system prompt, sampling, model and further fields, and reports what is not valid', async () => {
    server.models = [{ id: 'small' }, { id: 'large' }]
    const page = await open()
    await page.getByLabel('Model').selectOption('large')
    await page.getByRole('button', { name: 'Settings' }).click()
    const sheet = page.locator('dialog')
    await sheet.getByLabel('System prompt').fill('Be brief.')
    await sheet.getByLabel('Temperature').fill('0.5')
    await sheet.getByLabel('Top K').fill('2.5')
    await sheet.getByText('This has to be a whole number.').waitFor()
    await sheet.getByLabel('Stop at').fill('END\n###')
    await sheet.getByLabel('Further fields').fill('{"top_n_sigma": 1}')
    await page.keyboard.press('Escape')
    await say(page, 'Hi')
    await page.getByText('Top K: This has to be a whole number.').waitFor()
    expect(server.lastBody).toEqual({})
    await page.locator('.notice').getByRole('button', { name: 'Settings' }).click()
    await sheet.getByLabel('Top K').fill('20')
    await page.keyboard.press('Escape')
    await page.locator('#composer').press('Enter')
    await ended(page)
    expect(server.lastBody).toMatchObject({
      ...{ model: 'large', temperature: 0.5, top_k: 20, stop: ['END', '###'], top_n_sigma: 1 },
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'Hi' },
      ],
    })
  })

  it('folds reasoning, and gives it back with the conversation', async () => {
    const page = await open()
    server.script = reply => {
      reply.chunk({ reasoning_content: 'Let me see.' })
      reply.chunk({ content: 'Four.' })
      reply.end()
    }
    await say(page, '2+2?')
    await ended(page)
    expect(await page.getByText('Let me see.').count()).toBe(0)
    await page.getByText(/^Reasoned for/).click()
    await page.getByText('Let me see.').waitFor()
    await say(page, 'Sure?')
    await page.locator('article.answer').nth(1).waitFor()
    expect(messages()[1]).toEqual({ role: 'assistant', content: 'Four.', reasoning_content: 'Let me see.' })
  })

  it('shows calls of tools and sends the results that the user gives', async () => {
    const page = await open()
    await page.getByRole('button', { name: 'Settings' }).click()
    await page.getByLabel('Tools as JSON').fill('[{"name": "weather", "parameters": {"type": "object"}}]')
    await page.keyboard.press('Escape')
    const call = (index: number, id: string, args: string) => ({
      tool_calls: [
        {
          index,
          ...(id ? { id, type: 'function' } : {}),
          function: { ...(id ? { name: 'weather' } : {}), arguments: args },
        },
      ],
    })
    server.script = reply => {
      reply.chunk(call(0, 'c1', ''))
      for (const part of ['{"ci', 'ty": "Pa', 'ris"}']) reply.chunk(call(0, '', part))
      reply.chunk(call(1, 'c2', '{"city": "Rome"}'))
      reply.end('tool_calls')
    }
    await say(page, 'Weather?')
    await page.locator('.call').nth(1).getByText('Rome').waitFor()
    expect(await page.locator('.call').first().locator('dd').textContent()).toBe('Paris')
    server.script = reply => reply.end()
    await page.getByLabel('Result of weather').first().fill('sun')
    await page.getByLabel('Result of weather').last().fill('rain')
    await page.keyboard.press('Enter')
    await page.getByText('The answer is empty.').waitFor()
    expect(server.lastBody.tools).toEqual([
      { type: 'function', function: { name: 'weather', parameters: { type: 'object' } } },
    ])
    expect(messages().slice(1)).toEqual([
      {
        ...{ role: 'assistant', content: null },
        tool_calls: [
          { id: 'c1', type: 'function', function: { name: 'weather', arguments: '{"city": "Paris"}' } },
          { id: 'c2', type: 'function', function: { name: 'weather', arguments: '{"city": "Rome"}' } },
        ],
      },
      { role: 'tool', tool_call_id: 'c1', content: 'sun' },
      { role: 'tool', tool_call_id: 'c2', content: 'rain' },
    ])
  })

  it('turns nothing that a model writes into markup', async () => {
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

  it('asks for a key when the server does, and uses it', async () => {
    server.key = 'secret'
    const page = await open()
    const dialog = page.getByRole('dialog', { name: 'API key' })
    await dialog.getByLabel('Key', { exact: true }).fill('secret')
    await dialog.getByRole('button', { name: 'Use this key' }).click()
    await page.locator('.model-choice', { hasText: 'small' }).waitFor()
    await say(page, 'Hi')
    await ended(page)
    expect(server.asked.at(-1)?.authorization).toBe('Bearer secret')
  })

  it('says what went wrong in sentences, and keeps what had arrived', async () => {
    const page = await open()
    server.script = async reply => {
      reply.chunk({ content: 'It was a dark' })
      // What a broken connection leaves unread is lost to the page, too.
      await answer(page).getByText('It was a dark').waitFor()
      reply.cut()
    }
    await say(page, 'Hi')
    await page
      .getByRole('main')
      .getByText('The connection broke before the answer ended. What had arrived is kept.')
      .waitFor()
    expect(await answer(page).locator('.markdown').textContent()).toBe('It was a dark')
    const again = async (text: string) => {
      await page.getByRole('button', { name: 'Try again' }).click()
      await page.getByRole('main').getByText(text).waitFor()
    }
    server.script = reply => reply.fails(429, { message: 'queue full' }, { 'retry-after': '7' })
    await again('The server is busy. Try again in 7 s.')
    server.script = reply =>
      reply.fails(400, { message: 'too long', code: 'context_length_exceeded', n_ctx: 2048, n_prompt_tokens: 3000 })
    await again('The conversation has 3,000 tokens, and the model reads 2,048.')
    server.script = reply => {
      reply.chunk({ content: 'x' })
      reply.event({ error: { message: 'out of memory', code: 'engine_error' } })
      reply.close()
    }
    await again('Out of memory.')
    await server[Symbol.asyncDispose]()
    await again('The server does not answer.')
  })

  it('keeps conversations over a reload; renames, deletes with undo, exports and imports', async () => {
    const page = await open()
    await say(page, 'A question about ships')
    await ended(page)
    await page.reload()
    await page.locator('article.answer').getByText('Hello.').waitFor()
    const list = page.getByRole('navigation', { name: 'Conversations' })
    const choose = async (title: string, action: string) => {
      await list.getByRole('button', { name: `Actions for ${title}` }).click()
      await page.getByRole('menuitem', { name: action }).click()
    }
    await choose('A question about ships', 'Rename')
    await page.getByLabel('Name of the conversation').fill('Ships')
    await page.keyboard.press('Enter')
    await list.getByRole('link', { name: 'Ships' }).waitFor()
    const download = page.waitForEvent('download')
    await choose('Ships', 'Export as JSON')
    const file = await (await download).path()
    await choose('Ships', 'Delete')
    await page.locator('.welcome').waitFor()
    expect(await list.getByRole('link').count()).toBe(0)
    await page.getByRole('button', { name: 'Undo' }).click()
    await page.locator('article.answer').getByText('Hello.').waitFor()
    await page.getByLabel('A file of exported conversations').setInputFiles(file)
    await page.getByText('One conversation read.').waitFor()
    expect(await list.getByRole('link', { name: 'Ships' }).count()).toBe(2)
  })

  it('works by keys alone', async () => {
    const page = await open()
    const focused = () => page.evaluate('document.activeElement.id')
    expect(await focused()).toBe('composer')
    await page.getByRole('button', { name: 'Settings' }).focus()
    await page.keyboard.press('?')
    await page.getByRole('dialog', { name: 'Keys' }).waitFor()
    await page.keyboard.press('Escape')
    expect(await page.getByRole('dialog').count()).toBe(0)
    await page.keyboard.press('/')
    expect(await focused()).toBe('composer')
    await page.keyboard.type('one')
    await page.keyboard.press('Shift+Enter')
    await page.keyboard.type('two')
    await page.keyboard.press('Enter')
    await ended(page)
    expect(messages()[0]?.content).toBe('one\ntwo')
    await page.keyboard.press('Control+,')
    await page.getByRole('dialog', { name: 'Settings' }).waitFor()
    await page.keyboard.press('Escape')
    await page.keyboard.press('Control+Shift+O')
    await page.locator('.welcome').waitFor()
    await page.goBack()
    await page.locator('article.answer').waitFor()
  })

  it('writes on in a conversation that is not shown, and other tabs see what is kept', async () => {
    const page = await open()
    let finish = () => {}
    server.script = async reply => {
      reply.chunk({ content: 'Slowly ' })
      await new Promise<void>(resolve => {
        finish = resolve
      })
      reply.chunk({ content: 'written.' })
      reply.end()
    }
    await say(page, 'A slow one')
    await answer(page).getByText('Slowly').waitFor()
    const other = await page.context().newPage()
    await other.goto(server.url)
    await page.getByRole('button', { name: 'New conversation' }).first().click()
    server.script = reply => {
      reply.chunk({ content: 'At once.' })
      reply.end()
    }
    await say(page, 'A fast one')
    await ended(page)
    await other.getByRole('link', { name: 'A fast one' }).click()
    await other.getByRole('main').getByText('At once.').waitFor()
    finish()
    await page.getByRole('link', { name: 'A slow one' }).click()
    await page.getByRole('main').getByText('Slowly written.').waitFor()
    await other.getByRole('link', { name: 'A slow one' }).click()
    await other.getByRole('main').getByText('Slowly written.').waitFor()
  })

  it('takes dropped text files into the message, and refuses others', async () => {
    const page = await open()
    const drop = (name: string, content: string) =>
      page.evaluate(`(() => {
        const data = new DataTransfer()
        data.items.add(new File([${content}], ${JSON.stringify(name)}))
        window.dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }))
      })()`)
    await drop('photo.jpg', 'new Uint8Array([255, 216, 0, 1])')
    await page.getByText('photo.jpg is not a text file.').waitFor()
    await drop('notes.md', '"a ```fence``` inside"')
    await page.locator('.composer .chip', { hasText: 'notes.md' }).waitFor()
    await say(page, 'Sum this up')
    await ended(page)
    expect(messages()[0]?.content).toBe('File notes.md:\n````\na ```fence``` inside\n````\n\nSum this up')
    expect(await page.locator('article.user .chip').count()).toBe(1)
  })

  it('fits a phone, in both themes, and every control has a name', async () => {
    const page = await open({ viewport: { width: 360, height: 700 }, hasTouch: true, colorScheme: 'dark' })
    server.script = reply => {
      reply.chunk({
        content: `${'long'.repeat(100)}\n\n| a | b |\n|--|--|\n| ${'wide'.repeat(30)} | c |\n\n\`\`\`\n${'x'.repeat(300)}\n\`\`\``,
      })
      reply.end()
    }
    await say(page, 'wide '.repeat(50) + 'w'.repeat(200))
    await ended(page)
    // Code and tables scroll in frames of their own; nothing else is wider than the window, cut or not.
    const tooWide = `[...document.querySelectorAll('body *')]
      .filter(e => !e.closest('pre, .table-frame, .hidden') && Math.max(e.getBoundingClientRect().right, e.scrollWidth) > innerWidth)
      .map(e => e.outerHTML.slice(0, 100))`
    expect(await page.evaluate(tooWide)).toEqual([])
    const paper = () => page.evaluate('getComputedStyle(document.body).backgroundColor')
    expect(await paper()).toBe('rgb(23, 23, 22)')
    await page.getByRole('button', { name: 'Theme: as the system' }).click()
    expect(await paper()).toBe('rgb(253, 252, 250)')
    await page.reload()
    await page.locator('article.answer').waitFor()
    expect(await paper()).toBe('rgb(253, 252, 250)')
    await page.getByRole('button', { name: 'Show conversations' }).click()
    await page.getByRole('link', { name: /wide/ }).waitFor()
    await page.keyboard.press('Tab')
    await page.getByRole('button', { name: 'Close the list' }).last().click()
    await page.getByRole('button', { name: 'Settings' }).click()
    const nameless = await page.locator('button, input, textarea, select, a').evaluateAll(controls =>
      controls
        .filter(control => {
          const { labels } = control as unknown as { labels?: { length: number } }
          return !control.textContent?.trim() && !control.getAttribute('aria-label') && !labels?.length
        })
        .map(control => control.outerHTML),
    )
    expect(nameless).toEqual([])
  })

  it('draws only what is new, however long the conversation and the answer', async () => {
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
      window.frames_ = 0
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
