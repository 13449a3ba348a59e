// The report of runs. In: curves of few and of many points, broken ones, hostile names. Out: what is drawn of them; a page that stands
// alone; in a browser, where one is installed, what a person sees.

import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { histogramOf } from '../../src/train/histogram.js';
import type { Curve, RunRecord } from '../../src/train/read-run.js';
import { chartColumns, chartsOf, partsOf, reduced, smoothed } from '../../src/train/report/chart-data.js';
import * as charts from '../../src/train/report/charts.js';
import { reportOf } from '../../src/train/report/report.js';
import { terminalCurves } from '../../src/train/report/terminal.js';
import { browser, openPage, type Page } from '../driver/browser.js';

const scratch = mkdtempSync(join(tmpdir(), 'tfc-report-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const curve = (values: readonly number[], every = 1): Curve => {
  const steps = values.map((_, at) => (at + 1) * every);
  return { steps, times: steps.map((step) => 1000 + step), values: [...values] };
};

function runOf(curves: Readonly<Record<string, Curve>>, more: Partial<RunRecord> = {}): RunRecord {
  return {
    name: 'run',
    directory: '/logs/run-2026-11-29T10-31-05',
    facts: {
      command: 'tfc train m.tdsl --batch 32',
      options: { batch: 32 },
      environment: { processor: 'one', threads: 2 },
      variables: [{ path: 'net/w', kind: 'param', type: 'f32[784, 300]', elements: 235_200 }],
      kernels: [{ name: 'k0', title: 'the product', lines: ['m.tdsl:3'], bytesRead: '4*B', bytesWritten: '8', flops: '2*B' }],
    },
    started: 1000,
    ended: 1100,
    outcome: 'done',
    resumedAt: [],
    curves: new Map(Object.entries(curves)),
    histograms: new Map(),
    texts: new Map(),
    hparams: { rate: 0.1 },
    metrics: [],
    drawing: undefined,
    ...more,
  };
}

/** Numbers that look random and are the same every time. */
const noise = (count: number): number[] => Array.from({ length: count }, (_, at) => (Math.sin(at * 12.9898) * 43758.5453) % 1);

describe('points of a chart', () => {
  it('are all of them when they are few', () => {
    const { steps, values } = curve([3, 1, 2]);
    expect(reduced(steps, values, [1, 3]).raw).toEqual([
      { x: 1, y: 3 },
      { x: 2, y: 1 },
      { x: 3, y: 2 },
    ]);
  });

  it('are at most four per column when they are many, with the least and the greatest of each, in order', () => {
    const { steps, values } = curve(noise(100_000));
    const { raw } = reduced(steps, values, [1, 100_000]);
    expect(raw.length).toBeLessThanOrEqual(4 * chartColumns);
    expect(raw.length).toBeGreaterThan(2 * chartColumns);
    const columnOf = (step: number): number => Math.floor(((step - 1) / 99_999) * (chartColumns - 1));
    const extremes = (points: readonly { readonly x: number; readonly y: number | undefined }[]): Map<number, [number, number]> => {
      const found = new Map<number, [number, number]>();
      for (const { x, y } of points) {
        const [least, greatest] = found.get(columnOf(x)) ?? [Infinity, -Infinity];
        found.set(columnOf(x), [Math.min(least, y as number), Math.max(greatest, y as number)]);
      }
      return found;
    };
    expect(extremes(raw)).toEqual(extremes(steps.map((x, at) => ({ x, y: values[at] }))));
    for (const [at, { x, y }] of raw.entries()) {
      expect(y).toBe(values[x - 1]);
      if (at > 0) expect(x).toBeGreaterThan((raw[at - 1] as { x: number }).x);
    }
  });

  it('have a gap and a cross where a value is not finite, also among many', () => {
    const { steps, values } = curve([1, NaN, 2, Infinity, 3]);
    const few = reduced(steps, values, [1, 5]);
    expect(few.raw.map(({ y }) => y)).toEqual([1, undefined, 2, undefined, 3]);
    expect(few.notFinite).toEqual([2, 4]);
    const many = curve(noise(100_000));
    many.values[50_000] = NaN;
    const found = reduced(many.steps, many.values, [1, 100_000]);
    expect(found.notFinite).toEqual([50_001]);
    expect(found.raw.filter(({ y }) => y === undefined)).toEqual([{ x: 50_001, y: undefined }]);
    many.values.fill(NaN);
    const none = reduced(many.steps, many.values, [1, 100_000]);
    expect(none.raw.every(({ y }) => y === undefined)).toBe(true);
    expect(none.notFinite.length).toBeLessThanOrEqual(chartColumns / 8 + 1);
  });
});

describe('smoothing', () => {
  it('keeps what is constant and, away from its ends, what is straight', () => {
    for (const value of smoothed(
      Array.from({ length: 50 }, () => 7),
      9,
    ))
      expect(value).toBeCloseTo(7, 12);
    const line = Array.from({ length: 400 }, (_, at) => at);
    for (const [at, value] of smoothed(line, 10).entries()) if (at > 100 && at < 300) expect(value).toBeCloseTo(at, 6);
  });

  it('is the mean with weights that fall off to both sides, as written out', () => {
    const values = [...noise(40), NaN, ...noise(30)];
    const keep = 1 - 2 / 8;
    for (const [at, value] of smoothed(values, 8).entries()) {
      let [sum, weight] = [0, 0];
      for (const [other, one] of values.entries()) {
        if (!Number.isFinite(one)) continue;
        sum += one * keep ** Math.abs(at - other);
        weight += keep ** Math.abs(at - other);
      }
      if (Number.isNaN(values[at])) expect(value).toBeNaN();
      else expect(value).toBeCloseTo(sum / weight, 12);
    }
  });
});

describe('charts', () => {
  it('have what sets share in one, losses first', () => {
    const one = curve([1, 2]);
    const tags = ['zeta', 'train/accuracy', 'validation/loss', 'train/loss', 'validation/accuracy', 'train/', 'alpha/loss'];
    const found = chartsOf([runOf(Object.fromEntries(tags.map((tag) => [tag, one]))), runOf({ 'train/loss': one })]);
    expect(found.map(({ title, curves }) => [title, ...curves.map(({ run, set }) => `${run} ${set}`)])).toEqual([
      ['loss', '0 train', '0 validation', '1 train'],
      ['accuracy', '0 train', '0 validation'],
      ['alpha/loss', '0 '],
      ['train/', '0 '],
      ['zeta', '0 '],
    ]);
    expect(partsOf('test/a/b')).toEqual({ set: 'test', title: 'a/b' });
  });

  it('smooth what is restless and long alone, and offer a logarithm where it is one', () => {
    const [steady, short, long, negative] = chartsOf([
      runOf({
        a: curve(Array.from({ length: 1000 }, (_, at) => 1 / (at + 1))),
        b: curve(noise(50)),
        c: curve(noise(1000).map((value) => 2 + value)),
        d: curve([1, 0]),
      }),
    ]);
    expect([steady, short, long, negative].map((chart) => chart?.smoothedOver)).toEqual([undefined, undefined, 25, undefined]);
    expect(long?.curves[0]?.smooth.length).toBeGreaterThan(0);
    expect([steady, short, long, negative].map((chart) => chart?.fitsLog)).toEqual([true, false, true, false]);
  });

  it('leave out what is pale where there are many curves', async () => {
    const restless = runOf({ 'train/loss': curve(noise(500)) });
    const counts = [1, 6, 7].map(async (count) => {
      const [chart] = chartsOf(Array.from({ length: count }, () => restless));
      if (chart === undefined) throw new Error('no chart');
      const svg = await charts.drawChart(
        chart,
        'linear',
        () => 0,
        () => [1, 0],
      );
      return svg.match(/<path[^>]* stroke="var\(--c0\)"/g)?.length;
    });
    expect(await Promise.all(counts)).toEqual([2, 12, 7]);
  });

  const draw = (values: readonly number[], scale: charts.Scale = 'linear'): Promise<string> => {
    const [chart] = chartsOf([runOf({ 'train/loss': curve(values) })]);
    if (chart === undefined) throw new Error('no chart');
    return charts.drawChart(
      chart,
      scale,
      () => 3,
      () => [4, 2],
    );
  };
  const pathsIn = (svg: string): string[] =>
    [...svg.matchAll(/<path[^>]* d="([^"]*)"[^>]*stroke="var\(--c3\)"/g)].map(([, d]) => d as string);

  it('are lines in the colours of the page, broken where a value is missing', async () => {
    const svg = await draw([4, 2, NaN, 1, 3]);
    expect(svg).toMatch(/^<svg [^>]*viewBox="0 0 \d+ \d+"/);
    expect(svg).not.toMatch(/ (width|height)="\d+" viewBox|style=|<script|href=|url\(| id=/);
    expect(svg).toContain('stroke-dasharray="4,2"');
    const [line] = pathsIn(svg);
    expect(line?.match(/M/g)).toHaveLength(2);
    expect(line?.match(/L/g)).toHaveLength(2);
    expect(svg.match(/>×</g)).toHaveLength(1);
  });

  it.each([
    ['one point', [0.25]],
    ['equal values', [2, 2, 2]],
    ['nothing finite', [NaN, Infinity]],
    ['huge and tiny', [1e300, 1e-300]],
    ['beyond the range of a difference', [-1.7e308, 1.7e308]],
  ])('can be drawn of %s', async (_, values) => {
    for (const scale of ['linear', 'log'] as const) {
      const svg = await draw(values, scale);
      expect(svg).toContain('</svg>');
      expect(svg).not.toMatch(/d="[^"]*NaN|translate\([^)]*NaN/);
    }
  });
});

describe('the page', () => {
  const hostile = '</title><script>window.broken=1</script><img src=x onerror="window.broken=1">&amp;\u202e\'"';

  it('stands alone: no script, no address, no style but its own', async () => {
    const drawing = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" onload="window.broken=1"><script>window.broken=1</script></svg>');
    const page = await reportOf([runOf({ 'train/loss': curve([2, 1]) }, { drawing, texts: new Map([['note', 'a\nb']]) })], charts);
    const style = /<style>([\s\S]*?)<\/style>/.exec(page)?.[1] as string;
    const digest = createHash('sha256').update(style).digest('base64');
    expect(page).toContain(`content="default-src 'none'; img-src data:; style-src 'sha256-${digest}'"`);
    const rest = page.replace(style, '').replaceAll('http://www.w3.org/', '');
    expect(rest).not.toMatch(/<script|<a |href=|https?:|url\(|@import|\sstyle=|\son\w+=/i);
    expect(rest.match(/src="/g)).toHaveLength(1);
    expect(rest).toContain(`src="data:image/svg+xml;base64,${drawing.toString('base64')}"`);
    expect(style).not.toMatch(/url\(|@import/);
  });

  it('says what was run, how it ended and what came out', async () => {
    const histograms = new Map([['net/w', { step: 2, summary: histogramOf([1, 3, NaN]) }]]);
    const run = runOf(
      { 'train/loss': curve([4, 0.5, 1, NaN]), 'learning rate': curve([0.125]) },
      { outcome: 'failed', resumedAt: [2], histograms },
    );
    const page = await reportOf([run], charts);
    for (const text of [
      'tfc train m.tdsl --batch 32',
      'processor',
      'gone on with after step 2',
      'failed',
      '4 steps in 1 min 40 s',
      '<td>0.5 <span class="soft">at 2</span></td>',
      '<td>4 <span class="soft">at 1</span></td>',
      '<td>learning rate</td><td>0.125</td>',
      'f32[784, 300]',
      '235,200',
      '2 ± 1',
      'the product',
      'm.tdsl:3',
      '2*B',
    ])
      expect(page).toContain(text);
    expect(await reportOf([run], charts)).toBe(page);
  });

  it('compares several runs by what they were started with, and tells apart those of one name', async () => {
    const runs = [0.1, 0.01].map((rate, at) =>
      runOf({ 'train/loss': curve([2, rate]), 'validation/loss': curve([3]) }, { hparams: { rate }, directory: `/logs/same-${at}/` }),
    );
    const page = await reportOf(runs, charts);
    expect(page).toContain('<title>2 runs');
    expect(page).toContain('<th>rate</th><th>last train/loss</th><th>last validation/loss</th>');
    for (const [at, rate] of [0.1, 0.01].entries())
      expect(page).toMatch(new RegExp(`<path class="c${at}"[^>]*/></svg>same-${at}</span></td><td>${rate}</td><td>${rate}</td><td>3</td>`));
    for (const set of ['train', 'validation']) expect(page).toMatch(new RegExp(`<path class="any"[^>]*/></svg>${set}</li>`));
    expect(page).not.toContain('Colours repeat');
    expect(await reportOf([...runs, ...runs, ...runs, ...runs, ...runs], charts)).toContain('Colours repeat after 8 runs.');
  });

  it('can be of a run in which nothing was recorded', async () => {
    expect(await reportOf([runOf({})], charts)).toContain('No number was recorded.');
    expect(await reportOf([runOf({}), runOf({})], charts)).toContain('2 runs');
  });

  it('keeps what runs say out of its markup', async () => {
    const facts = {
      command: hostile,
      options: { [hostile]: hostile },
      environment: { [hostile]: hostile },
      variables: [{ path: hostile, kind: hostile, type: hostile }],
      kernels: [{ name: hostile, title: hostile, lines: [hostile], bytesRead: hostile, bytesWritten: hostile, flops: hostile }],
    };
    const run = runOf(
      { [hostile]: curve([1]), [`train/${hostile}`]: curve([1]) },
      { name: hostile, directory: `/logs/${hostile}`, facts, texts: new Map([[hostile, hostile]]), hparams: { [hostile]: hostile } },
    );
    for (const runs of [[run], [run, run]]) {
      const page = await reportOf(runs, charts);
      expect(page).not.toMatch(/<script|<img|<\/title><|\u202e/);
      expect(page.match(/&lt;script&gt;/g)?.length).toBeGreaterThan(8);
    }
  });

  it('stays small with a hundred thousand steps', async () => {
    const page = await reportOf([runOf({ 'train/loss': curve(noise(100_000).map((value) => 2 + value)) })], charts);
    expect(page.length).toBeLessThan(500_000);
  });
});

describe('curves on a terminal', () => {
  it('are losses, as wide as asked, whatever they are of', () => {
    const run = runOf({ 'train/loss': curve(noise(1000)), 'validation/loss': curve([1, NaN, 2]), 'train/accuracy': curve([1]) });
    const text = terminalCurves(run, 60);
    expect(text).toContain('train/loss, steps 1 to 1000\n');
    expect(text).toContain('validation/loss, steps 1 to 3, 1 not finite\n');
    expect(text).not.toContain('accuracy');
    const lines = text.split('\n').filter((line) => line.includes('┤') || line.includes('┼'));
    expect(lines).toHaveLength(22);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(60);
    expect(terminalCurves(runOf({ 'train/accuracy': curve([1]) }), 60)).toContain('train/accuracy');
    // Numbers beyond those that a double counts in steps of 1, and further apart than the largest double.
    for (const values of [
      [1e300],
      [1e300, 1e300],
      [1e16, 1e16 + 2],
      [-1.7e308, 1.7e308],
      [5e-324, 0],
      [2 ** 53, 2 ** 53 + 2, 2 ** 53 + 4],
    ]) {
      const [, ...rows] = terminalCurves(runOf({ 'train/loss': curve(values) }), 60).split('\n');
      expect(rows).toHaveLength(new Set(values).size === 1 ? 1 : 11);
      expect([rows[0], rows.at(-1)].map((row) => Number.parseFloat(row as string))).toEqual(
        [Math.max(...values), Math.min(...values)].map((value) => Number(value.toPrecision(4))),
      );
    }
    expect(terminalCurves(runOf({ 'train/loss': curve([0.5]) }), 60)).toContain('0.5000');
    expect(terminalCurves(runOf({ 'train/loss': curve([NaN]) }), 60)).toBe('train/loss, steps 1 to 1, 1 not finite');
    expect(terminalCurves(runOf({}), 60)).toBe('');
  });
});

describe.skipIf(browser === undefined)('the page in a browser', () => {
  let page: Page | undefined;
  afterEach(async () => {
    await page?.close();
    page = undefined;
  });

  it('shows one scale at a time, without a script, and asks for nothing', async () => {
    const drawing = Buffer.from(
      '<svg xmlns="http://www.w3.org/2000/svg" width="50" height="40" onload="top.broken=1"><script>top.broken=1</script><rect width="9" height="9"/></svg>',
    );
    const name = '<script>window.broken=1</script>';
    const file = join(scratch, 'report.html');
    const curves = { 'train/loss': curve(noise(500).map((value) => 2 + value)), balance: curve([-1, 1]) };
    writeFileSync(file, await reportOf([runOf(curves, { name, drawing })], charts));
    page = await openPage(file);
    await page.until('document.images[0]?.complete');
    expect(await page.evaluate<string>('document.querySelector("h1").textContent')).toBe(name);
    const seen =
      'Array.from(document.querySelectorAll("figure > div"), (one) => `${one.className} ${one.getBoundingClientRect().height > 100}`)';
    expect(await page.evaluate<string[]>(seen)).toEqual(['linear also true', 'log false', 'linear true']);
    await page.click('label[for=log]');
    expect(await page.evaluate<string[]>(seen)).toEqual(['linear also false', 'log true', 'linear true']);
    // Colours come out of the style sheet.
    const stroke = 'getComputedStyle(document.querySelector("figure .log path[stroke^=var]")).stroke';
    expect(await page.evaluate<string>(stroke)).toBe('rgb(0, 114, 178)');
    expect(await page.evaluate<number>('document.images[0].naturalWidth')).toBe(50);
    expect(await page.evaluate<boolean>('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
    expect(await page.evaluate<unknown>('window.broken')).toBeUndefined();
    expect(page.requests.filter((address) => !address.startsWith('data:'))).toHaveLength(1);
    expect(page.complaints).toEqual([]);
  });

  it('shows names of several runs in lines that are read', async () => {
    const file = join(scratch, 'several.html');
    const hparams = { lr: 0.00316228, data: 'data.csv', batch: 32, epochs: 10, seed: 0, shuffle: true, dropRest: false, validate: 0.2 };
    const curves = { 'validation/loss': curve([0.2031234]), 'validation/accuracy': curve([0.9212345]) };
    const named = ['batch=32,lr=0.00316228-2026-11-29T21-09-41', 'batch=64,lr=0.00316228-2026-11-29T21-12-02'].map((name) =>
      runOf(curves, { name, hparams }),
    );
    writeFileSync(file, await reportOf(named, charts));
    page = await openPage(file);
    const heights = 'Array.from(document.querySelectorAll("tbody tr"), (row) => row.getBoundingClientRect().height)';
    for (const height of await page.evaluate<number[]>(heights)) expect(height).toBeLessThan(80);
    expect(await page.evaluate<boolean>('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
  });
});
