// The report of one run, or of several side by side. In: runs as their logs have them, what draws charts. Out: HTML in one piece, which
// loads nothing and runs no script.
// Holds: what comes from runs stands in the page as text alone; a drawing is an image, in which nothing runs either; a policy refuses
// whatever else there might be; the same runs make the same bytes.

import { createHash } from 'node:crypto';
import { duration } from '../progress.js';
import type { Curve, RunRecord } from '../read-run.js';
import type { HyperParameter } from '../recorder.js';
import { type Chart, type ChartCurve, chartsOf, partsOf } from './chart-data.js';
import type * as Charts from './charts.js';
import { html, htmlLines, table } from './html.js';
import { style } from './style.js';

/** What draws: `charts.ts`, which is loaded from a file of its own. */
export type Drawing = Pick<typeof Charts, 'drawChart' | 'colors' | 'dashes'>;

/** `runs`: at least one. */
export async function reportOf(runs: readonly RunRecord[], drawing: Drawing): Promise<string> {
  const charts = chartsOf(runs);
  const look = lookOf(runs, drawing);
  const figures: string[] = [];
  for (const chart of charts) figures.push(await figureOf(chart, runs, drawing, look));
  const title = runs.length === 1 ? (runs[0] as RunRecord).name : `${runs.length} runs`;
  const switches = charts.some(({ fitsLog }) => fitsLog)
    ? `<input class="switch" type="radio" name="scale" id="linear" checked><input class="switch" type="radio" name="scale" id="log">
<div class="switches"><span class="soft">scale</span><label for="linear">linear</label><label for="log">log</label></div>`
    : '';
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'">
<title>${html(title)} – tfc report</title>
<style>${style}</style>
</head>
<body>
<h1>${html(title)}</h1>
${runs.length === 1 ? `<p class="soft">${factsLine(runs[0] as RunRecord)}</p>` : ''}
${summaryOf(runs)}
<h2>Curves</h2>
${charts.length === 0 ? '<p>No number was recorded.</p>' : `${switches}\n<div class="charts">\n${figures.join('\n')}\n</div>`}
${runs.map((run) => (runs.length === 1 ? `<h2>Run</h2>${detailsOf(run)}` : `<details><summary>${html(nameOf(run))}</summary>${detailsOf(run)}</details>`)).join('\n')}
</body>
</html>
`;
}

/** Runs may have one name; their directories differ. */
const nameOf = ({ directory }: RunRecord): string => directory.replace(/\/+$/, '').replace(/^.*\//, '');

interface Look {
  readonly colorOf: (curve: ChartCurve) => number;
  readonly dashOf: (curve: ChartCurve) => readonly number[];
  readonly labelOf: (curve: ChartCurve) => string;
}

/** One run: a colour per set. Several: a colour per run, a dash per set. */
function lookOf(runs: readonly RunRecord[], { dashes }: Drawing): Look {
  const sets = Object.keys(dashes);
  if (runs.length === 1)
    return {
      colorOf: ({ set }) => (set === '' ? 0 : sets.indexOf(set)),
      dashOf: () => dashes['train'] as readonly number[],
      labelOf: ({ set }) => set,
    };
  return {
    colorOf: ({ run }) => run,
    dashOf: ({ set }) => dashes[set] as readonly number[],
    labelOf: ({ run, set }) => `${nameOf(runs[run] as RunRecord)}${set === '' ? '' : ` ${set}`}`,
  };
}

async function figureOf(chart: Chart, runs: readonly RunRecord[], { drawChart, colors }: Drawing, look: Look): Promise<string> {
  const { title, curves, smoothedOver, fitsLog } = chart;
  const linear = await drawChart(chart, 'linear', look.colorOf, look.dashOf);
  const log = fitsLog ? await drawChart(chart, 'log', look.colorOf, look.dashOf) : '';
  const legend =
    runs.length === 1 && curves.every(({ set }) => set === '')
      ? ''
      : `<ul class="legend">${curves
          .map(
            (curve) =>
              `<li><svg viewBox="0 0 28 10"><path class="c${look.colorOf(curve) % colors}" stroke-width="2.5" stroke-dasharray="${look.dashOf(curve).join(' ')}" d="M0 5H28"/></svg>${html(look.labelOf(curve))}</li>`,
          )
          .join('')}</ul>`;
  const notes = [
    ...(smoothedOver === undefined ? [] : [`bold: means of about ${smoothedOver} values`]),
    ...(curves.some(({ notFinite }) => notFinite.length > 0) ? ['×: not a finite number'] : []),
  ];
  return `<figure><h3>${html(title)}</h3>${legend}
<div class="linear${fitsLog ? ' also' : ''}">${linear}</div>${fitsLog ? `<div class="log">${log}</div>` : ''}
${notes.length === 0 ? '' : `<figcaption>${notes.join('; ')}</figcaption>`}</figure>`;
}

/** Of one run its curves in numbers; of several a line each, with what differs. */
function summaryOf(runs: readonly RunRecord[]): string {
  const [only] = runs;
  if (runs.length === 1 && only !== undefined) {
    const rows = [...only.curves].map(([tag, curve]) => {
      const { least, greatest, notFinite, last } = numbersOf(curve);
      return [html(tag), shownNumber(last), least, greatest, notFinite === 0 ? '' : String(notFinite), String(curve.steps.length)];
    });
    return rows.length === 0 ? '' : table(['', 'last', 'least', 'greatest', 'not finite', 'values'], rows);
  }
  const names = [...new Set(runs.flatMap(({ hparams }) => Object.keys(hparams)))];
  const chosen = new Set(runs.flatMap(({ metrics }) => metrics));
  const tags = [...new Set(runs.flatMap(({ curves }) => [...curves.keys()]))].filter((tag) =>
    chosen.size === 0 ? partsOf(tag).set !== '' : chosen.has(tag),
  );
  return table(
    ['run', ...names.map(html), ...tags.map((tag) => `last ${html(tag)}`), 'steps', 'time', ''],
    runs.map((run) => [
      html(nameOf(run)),
      ...names.map((name) => shownParameter(run.hparams[name])),
      ...tags.map((tag) => shownNumber(run.curves.get(tag)?.values.at(-1))),
      String(stepsOf(run)),
      timeOf(run),
      run.outcome,
    ]),
  );
}

const stepsOf = ({ curves }: RunRecord): number => [...curves.values()].reduce((most, { steps }) => Math.max(most, steps.at(-1) ?? 0), 0);

const timeOf = ({ started, ended }: RunRecord): string => html(duration(Math.max(0, ended - started)));

const outcomes: Readonly<Record<RunRecord['outcome'], string>> = {
  done: 'done',
  failed: 'failed',
  running: 'not ended: it runs, or was stopped from outside',
};

function factsLine(run: RunRecord): string {
  const { started, resumedAt, outcome } = run;
  return [
    html(nameOf(run)),
    `begun ${html(new Date(started * 1000).toISOString().replace('T', ' ').slice(0, 19))} UTC`,
    `${stepsOf(run)} steps in ${timeOf(run)}`,
    ...(resumedAt.length === 0 ? [] : [`gone on with after step ${resumedAt.join(', ')}`]),
    outcomes[outcome],
  ].join(' · ');
}

function numbersOf({ steps, values }: Curve): {
  readonly last: number | undefined;
  readonly least: string;
  readonly greatest: string;
  readonly notFinite: number;
} {
  let [least, greatest, notFinite]: [number | undefined, number | undefined, number] = [undefined, undefined, 0];
  for (const [at, value] of values.entries()) {
    if (!Number.isFinite(value)) notFinite += 1;
    else {
      if (least === undefined || value < (values[least] as number)) least = at;
      if (greatest === undefined || value > (values[greatest] as number)) greatest = at;
    }
  }
  const place = (at: number | undefined): string =>
    at === undefined ? '' : `${shownNumber(values[at])} <span class="soft">at ${steps[at]}</span>`;
  return { last: values.at(-1), least: place(least), greatest: place(greatest), notFinite };
}

const shownNumber = (value: number | undefined): string =>
  value === undefined ? '' : Number.isInteger(value) && Math.abs(value) < 1e15 ? String(value) : html(String(Number(value.toPrecision(5))));

const shownParameter = (value: HyperParameter | undefined): string => (value === undefined ? '' : html(String(value)));

function detailsOf(run: RunRecord): string {
  const { facts, hparams, texts, histograms, drawing } = run;
  const section = (title: string, content: string): string => (content === '' ? '' : `<h3>${title}</h3>${content}`);
  const pairs = (values: Readonly<Record<string, HyperParameter>>): string => {
    const rows = Object.entries(values).map(([name, value]) => [html(name), shownParameter(value)]);
    return rows.length === 0 ? '' : table([], rows);
  };
  const elements = facts.variables.reduce((sum, one) => sum + (one.elements ?? 0), 0);
  return [
    section('Command', `<pre>${htmlLines(facts.command)}</pre>`),
    section('Options', pairs(facts.options)),
    section('Hyperparameters', pairs(hparams)),
    section('Environment', pairs(facts.environment)),
    ...[...texts].map(([tag, text]) => section(html(tag), `<pre>${htmlLines(text)}</pre>`)),
    section(
      `Variables <span class="soft">${facts.variables.length}, ${elements.toLocaleString('en')} elements</span>`,
      facts.variables.length === 0
        ? ''
        : folded(
            table(
              ['variable', 'kind', 'type', 'elements', ...(histograms.size === 0 ? [] : ['mean ± deviation', 'from', 'to', 'not finite'])],
              facts.variables.map(({ path, kind, type, elements: count }) => [
                html(path),
                html(kind),
                html(type),
                count === undefined ? '' : count.toLocaleString('en'),
                ...(histograms.size === 0 ? [] : distributionOf(run, path)),
              ]),
            ),
            facts.variables.length,
          ),
    ),
    section(
      `Kernels <span class="soft">${facts.kernels.length}</span>`,
      facts.kernels.length === 0
        ? ''
        : folded(
            table(
              ['', 'computes', 'reads, bytes', 'writes, bytes', 'FLOPs', 'from'],
              facts.kernels.map(({ name, title, bytesRead, bytesWritten, flops, lines }) =>
                [name, title, bytesRead, bytesWritten, flops, lines.join(', ')].map(html),
              ),
            ),
            facts.kernels.length,
          ),
    ),
    section(
      'Graph',
      drawing === undefined ? '' : `<img alt="the graph of the step" src="data:image/svg+xml;base64,${drawing.toString('base64')}">`,
    ),
  ].join('\n');
}

/** Longer tables are closed at first. */
const openRows = 24;

const folded = (content: string, rows: number): string =>
  rows <= openRows ? content : `<details><summary>${rows} rows</summary>${content}</details>`;

/** Cells of the last histogram of a variable. */
function distributionOf({ histograms }: RunRecord, path: string): string[] {
  const { summary } = histograms.get(path) ?? {};
  if (summary === undefined) return ['', '', '', ''];
  const { count, sum, sumOfSquares, minimum, maximum, notFinite } = summary;
  const mean = sum / count;
  const deviation = Math.sqrt(Math.max(0, sumOfSquares / count - mean * mean));
  const some = notFinite === 0 ? '' : String(notFinite);
  return count === 0
    ? ['', '', '', some]
    : [`${shownNumber(mean)} ± ${shownNumber(deviation)}`, shownNumber(minimum), shownNumber(maximum), some];
}
