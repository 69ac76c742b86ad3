/** An answer: as it comes, stopped, continued, asked for again, with its reasoning and calls, and when it fails. */
import { describe, expect } from 'vitest'
import { CHROMIUM } from './chromium.ts'
import { answer, ended, it, say } from './in-browser.ts'

describe.skipIf(CHROMIUM === undefined)('an answer (needs a Chromium)', () => {
  it('shows an answer while it arrives, then its speed and cached tokens', async ({ open, server }) => {
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

  it('stops on Escape, keeps what had arrived, and continues from it', async ({ open, server, messages }) => {
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

  it('continues an answer that ended early, as another version', async ({ open, server, messages }) => {
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

  it('edits the last message with the up key and keeps both versions', async ({ open, server, messages }) => {
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

  it('tries an answer again and keeps the earlier one', async ({ open, server, messages }) => {
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

  it('folds reasoning, and gives it back with the conversation', async ({ open, server, messages }) => {
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

  it('shows calls of tools and sends the results that the user gives', async ({ open, server, messages }) => {
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

  it('says what went wrong in sentences, and keeps what had arrived', async ({ open, server }) => {
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
})
