// The page that `tfc graph` writes. In: programs, friendly and hostile. Out: HTML that stands alone; in a browser, where one is installed,
// boxes that open and fold, a search, and what is known of a node.

import { createHash } from 'node:crypto';
import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { PageData } from '../../src/driver/report/graph-page.js';
import { browser, openPage, type Page } from './browser.js';
import { root, workplace } from './tfc.js';

const place = workplace();
const { tfc } = place;
copyFileSync(join(root, 'examples', 'mnist', 'mnist.tdsl'), join(place.directory, 'mnist.tdsl'));
place.file(
  'hostile.tdsl',
  `param w: f32 = 2
export step s(x: f32): f32 {
  scope "</script><script>window.broken = 1</script><img src=x onerror=window.broken=1>" {
    let y = sin(w * x) // <!-- </script> "&amp;
    let z = y * y
  }
  scope "&lt;b&gt;\\"'\`\${window.broken=1}" {
    let v = exp(w * x) + x
  }
  return z + v
}
`,
);

const written = (...args: readonly string[]): string => {
  expect(tfc('graph', ...args, '-o', 'out.html')).toMatchObject({ status: 0, err: '' });
  return readFileSync(join(place.directory, 'out.html'), 'utf8');
};

/** The page in pieces: outside of scripts and styles, and inside of each. */
function pieces(html: string): { readonly markup: string; readonly style: string; readonly data: string; readonly script: string } {
  const found =
    /^([\s\S]*?<style>)([\s\S]*?)(<\/style>[\s\S]*?<script id="graph" type="application\/json">)([^<]*)(<\/script>\n<script>)([\s\S]*?)(<\/script>[\s\S]*)$/.exec(
      html,
    );
  const [, before = '', style = '', between = '', data = '', gap = '', script = '', after = ''] = found ?? [];
  return { markup: before + between + gap + after, style, data, script };
}

const digest = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

describe('the page', () => {
  it.each(['mnist.tdsl', 'hostile.tdsl'])('stands alone and lets nothing run but its own script: %s', (program) => {
    const { markup, style, data, script } = pieces(written(program));
    expect(script.length).toBeGreaterThan(1000);
    expect(script).not.toMatch(/<\/script|<!--/i);
    const policy = `default-src 'none'; script-src ${digest(script)} 'wasm-unsafe-eval'; style-src ${digest(style)}`;
    expect(markup).toContain(`<meta http-equiv="Content-Security-Policy" content="${policy}">`);
    expect(markup.match(/<script\b/g)).toHaveLength(2);
    expect(markup).not.toMatch(/\b(?:src|href|action|srcset)\s*=|url\(|@import|https?:|\bon\w+\s*=/i);
    expect(style).not.toMatch(/url\(|@import/i);
    const { entries, lines } = JSON.parse(data) as PageData;
    expect(entries.length).toBeGreaterThan(0);
    for (const { nodes } of entries) for (const { place: at } of nodes) if (at !== undefined) expect(lines[at]).toBeTypeOf('string');
  });

  it('holds all nodes and the lines that they come from', () => {
    const { entries, lines } = JSON.parse(pieces(written('mnist.tdsl', '--depth', '3')).data) as PageData;
    tfc('graph', 'mnist.tdsl', '-o', 'out.json');
    expect(entries).toEqual(JSON.parse(readFileSync(join(place.directory, 'out.json'), 'utf8')));
    expect(lines['mnist.tdsl:11']).toBe('fn logits<B>(x: f32[B, 784]): f32[B, Classes] = output(hidden2(hidden1(x)))');
  });

  it('keeps what programs say out of its markup', () => {
    const { markup, data } = pieces(written('hostile.tdsl'));
    expect(markup).not.toMatch(/broken|onerror/);
    expect(data).toContain('\\u003c/script>');
  });
});

describe.skipIf(browser === undefined)('the page in a browser', () => {
  let page: Page | undefined;
  afterEach(async () => {
    await page?.close();
    page = undefined;
  });
  const open = async (): Promise<Page> => {
    page = await openPage(join(place.directory, 'out.html'));
    await page.until('document.querySelector("#drawing svg")');
    return page;
  };
  /** What boxes and nodes say, a line each. */
  const labels =
    'Array.from(document.querySelectorAll("#drawing g.closed, #drawing g.open, #drawing g.node"), (one) => Array.from(one.querySelectorAll(":scope > text, :scope > g > text"), (line) => line.textContent).join("; "))';
  const named = (title: string): string =>
    `Array.from(document.querySelectorAll("#drawing g.closed, #drawing g.open, #drawing g.node")).find((one) => one.textContent.includes(${JSON.stringify(title)}))`;
  const idOf = async (one: Page, title: string): Promise<string> => `#${await one.evaluate<string>(`${named(title)}.id`)}`;

  it('opens and folds boxes by a click, finds names, and shows where a node comes from', async () => {
    written('mnist.tdsl');
    const one = await open();
    await one.evaluate(
      '(() => { const entry = document.getElementById("entry"); entry.value = "1"; entry.dispatchEvent(new Event("change")); })()',
    );
    const folded = await one.evaluate<string[]>(labels);
    expect(folded).toContain('hidden1: Dense; f32[B, 784] → f32[B, 300]; w: f32[784, 300]; b: f32[300]');
    expect(folded).not.toContain('matmul; f32[B, 300]');
    const box = await idOf(one, 'hidden1: Dense');
    await one.click(`${box} text`);
    await one.until(`${named('hidden1: Dense')}.classList.contains('open')`);
    expect(await one.evaluate<string[]>(labels)).toEqual(
      expect.arrayContaining(['hidden1: Dense', 'matmul; f32[B, 300]', 'w; variable; f32[784, 300]']),
    );
    expect(await one.evaluate<string>('document.getElementById("details").innerText')).toContain('hidden1: Dense');
    await one.click(await idOf(one, 'matmul'));
    const details = await one.evaluate<string>('document.getElementById("details").innerText');
    for (const text of ['matmul', 'f32[B, 300]', 'net/logits/hidden1', 'mnist.tdsl:11', 'fn logits<B>(x: f32[B, 784])', 'x: f32[B, 784]'])
      expect(details).toContain(text);
    await one.click(`${box} > text`);
    await one.until(`${named('hidden1: Dense')}.classList.contains('closed')`);
    expect(await one.evaluate<string[]>(labels)).toEqual(folded);
    await one.evaluate(
      '(() => { const search = document.getElementById("search"); search.value = "Picked"; search.dispatchEvent(new Event("input")); })()',
    );
    expect(await one.evaluate<string>('document.getElementById("found").innerText')).toBe('softmaxCrossEntropy/picked: f32[B, 10]');
    await one.click('#found button');
    await one.until('document.querySelector("#drawing g.selected")?.textContent.includes("picked")');
    await one.click('#fold');
    await one.until('document.querySelectorAll("#drawing g.open").length === 0');
    await one.click('#more');
    await one.until('document.querySelectorAll("#drawing g.open").length > 0');
    expect(one.requests).toHaveLength(1);
    expect(one.complaints).toEqual([]);
  });

  it('is made larger and smaller, fits, and a drag moves it without a click', async () => {
    written('mnist.tdsl', '--depth', '9');
    const one = await open();
    const size = (): Promise<number> => one.evaluate<number>('document.querySelector("#drawing svg").getBoundingClientRect().height');
    const whole = await size();
    await one.click('#larger');
    expect(await size()).toBeCloseTo(1.25 * whole, 0);
    await one.evaluate(
      '(() => { const event = new WheelEvent("wheel", { ctrlKey: true, deltaY: -100, clientX: 99, clientY: 99, cancelable: true }); document.getElementById("drawing").dispatchEvent(event); })()',
    );
    expect(await size()).toBeCloseTo(1.25 * Math.exp(0.25) * whole, 0);
    const shown = await one.evaluate<string[]>(labels);
    expect(
      await one.evaluate<number>(`(() => {
        const title = document.querySelector('#drawing g.open > text');
        const at = (type, x, y) => title.dispatchEvent(new PointerEvent(type, { bubbles: true, buttons: 1, clientX: x, clientY: y }));
        at('pointerdown', 300, 300);
        at('pointermove', 250, 100);
        at('click', 250, 100);
        return document.getElementById('drawing').scrollTop;
      })()`),
    ).toBeGreaterThan(0);
    expect(await one.evaluate<string[]>(labels)).toEqual(shown);
    await one.click('#fit');
    expect(await size()).toBeLessThanOrEqual(await one.evaluate<number>('document.getElementById("drawing").clientHeight'));
    await one.click('#fold');
    await one.until('document.querySelectorAll("#drawing g.open").length === 0');
    expect(one.complaints).toEqual([]);
  });

  it('shows hostile names as they are written', async () => {
    written('hostile.tdsl', '--depth', '9');
    const one = await open();
    const texts = await one.evaluate<string[]>(
      'Array.from(document.querySelectorAll("#drawing g.open > text"), (text) => text.textContent)',
    );
    expect(texts).toContain('</script><script>window.broken = 1</script><img src=x onerror=w…');
    expect(texts).toContain('&lt;b&gt;"\'`${window.broken=1}');
    // Nodes first: a click on an open box folds it.
    for (const kind of ['node', 'open']) {
      const ids = await one.evaluate<string[]>(`Array.from(document.querySelectorAll("#drawing g.${kind}"), (shape) => shape.id)`);
      expect(ids.length).toBeGreaterThan(0);
      for (const id of ids) await one.click(`#${id} text`);
    }
    await one.evaluate(
      '(() => { const search = document.getElementById("search"); search.value = "s"; search.dispatchEvent(new Event("input")); })()',
    );
    expect(await one.evaluate<unknown>('window.broken')).toBeUndefined();
    expect(await one.evaluate<number>('document.querySelectorAll("img, #drawing script").length')).toBe(0);
    expect(one.requests).toHaveLength(1);
    expect(one.complaints).toEqual([]);
  });
});
