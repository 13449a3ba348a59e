// A page as people see it. In: an HTML file. Out: what expressions evaluate to in the page, and every address that it asked for.
// Holds: the browser is one that is installed, without a window; where there is none, `browser` is undefined. It is spoken to in the Chrome
// DevTools Protocol through pipes: objects of JSON, each followed by a zero byte.

import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { pathToFileURL } from 'node:url';

export const browser = (process.env['PATH'] ?? '')
  .split(delimiter)
  .flatMap((folder) => ['chromium-headless-shell', 'chromium', 'chromium-browser', 'google-chrome'].map((name) => join(folder, name)))
  // A browser out of a snap sees no temporary files; what merely asks to install one has no version.
  .find((file) => existsSync(file) && !file.startsWith('/snap/') && spawnSync(file, ['--version']).status === 0);

export interface Page {
  /** The value of an expression, which may be a promise. */
  evaluate<T>(expression: string): Promise<T>;
  /** Waits until the expression is true. */
  until(expression: string): Promise<void>;
  /** A click of the mouse in the middle of what the selector finds. */
  click(selector: string): Promise<void>;
  readonly requests: readonly string[];
  /** What the page's scripts threw, and what its policy refused. */
  readonly complaints: readonly string[];
  close(): Promise<void>;
}

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: {
    readonly request?: { readonly url: string };
    readonly exceptionDetails?: { readonly text: string };
    readonly entry?: { readonly text: string };
  };
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly message: string };
}

export async function openPage(file: string): Promise<Page> {
  if (browser === undefined) throw new Error('no browser is installed');
  const profile = mkdtempSync(join(tmpdir(), 'tfc-browser-'));
  const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--remote-debugging-pipe', '--window-size=1600,1000'];
  const child = spawn(browser, [...flags, `--user-data-dir=${profile}`, 'about:blank'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const [, , , input, output] = child.stdio as unknown as [null, null, null, Writable, Readable];
  const waiting = new Map<number, (message: Message) => void>();
  const requests: string[] = [];
  const complaints: string[] = [];
  let rest = '';
  output.setEncoding('utf8').on('data', (chunk: string) => {
    const texts = `${rest}${chunk}`.split('\0');
    rest = texts.pop() ?? '';
    for (const text of texts) {
      const message = JSON.parse(text) as Message;
      if (message.id !== undefined) waiting.get(message.id)?.(message);
      const { request, exceptionDetails, entry } = message.params ?? {};
      if (message.method === 'Network.requestWillBeSent' && request !== undefined) requests.push(request.url);
      if (message.method === 'Runtime.exceptionThrown' && exceptionDetails !== undefined) complaints.push(exceptionDetails.text);
      if (message.method === 'Log.entryAdded' && entry !== undefined) complaints.push(entry.text);
    }
  });
  let calls = 0;
  const call = async (method: string, params: object, sessionId?: string): Promise<Record<string, unknown>> => {
    const id = ++calls;
    const answer = new Promise<Message>((resolve) => waiting.set(id, resolve));
    input.write(`${JSON.stringify({ id, method, params, ...(sessionId === undefined ? {} : { sessionId }) })}\0`);
    const { result, error } = await answer;
    if (error !== undefined) throw new Error(`${method}: ${error.message}`);
    return result ?? {};
  };
  const { targetId } = await call('Target.createTarget', { url: 'about:blank' });
  const { sessionId } = await call('Target.attachToTarget', { targetId, flatten: true });
  const ask = (method: string, params: object = {}): Promise<Record<string, unknown>> => call(method, params, sessionId as string);
  for (const domain of ['Page', 'Network', 'Runtime', 'Log']) await ask(`${domain}.enable`);
  await ask('Page.navigate', { url: pathToFileURL(file).href });
  const evaluate = async <T>(expression: string): Promise<T> => {
    const { result, exceptionDetails } = await ask('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true });
    if (exceptionDetails !== undefined) throw new Error(`${expression}: ${JSON.stringify(exceptionDetails)}`);
    return (result as { readonly value: T }).value;
  };
  return {
    evaluate,
    until: async (expression) => {
      for (let round = 0; !(await evaluate<boolean>(`Boolean(${expression})`)); round++) {
        if (round > 200) throw new Error(`${expression} did not become true`);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
    click: async (selector) => {
      const place = await evaluate<{ readonly x: number; readonly y: number }>(
        `(() => { const { left, top, width, height } = document.querySelector(${JSON.stringify(selector)}).getBoundingClientRect(); return { x: left + width / 2, y: top + height / 2 }; })()`,
      );
      for (const type of ['mousePressed', 'mouseReleased'])
        await ask('Input.dispatchMouseEvent', { type, ...place, button: 'left', clickCount: 1 });
    },
    requests,
    complaints,
    close: async () => {
      child.kill('SIGKILL');
      await ended;
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
