// The report of one run, or of several side by side. In: runs as their logs have them, what draws charts. Out: HTML in one piece, which
// loads nothing and runs no script.
// Holds: what comes from runs stands in the page as text alone; a drawing is an image, in which nothing runs either; a policy refuses
// whatever else there might be; the same runs make the same bytes.

import { createHash } from 'node:crypto';
import { duration } from '../progress.js';
import type { Curve, RunRecord } from '../read-run.js';
import { type Chart, type ChartCurve, chartsOf, partsOf } from './chart-data.js';
import type * as Charts from './charts.js';
import { html, shownNumber, shownParameter, table } from './html.js';
import { detailsOf } from './run-details.js';
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
${summaryOf(runs, drawing)}
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
}

/** One run: a colour per set. Several: a colour per run, which the table of runs says, and a dash per set. */
function lookOf(runs: readonly RunRecord[], { dashes }: Drawing): Look {
  const sets = Object.keys(dashes);
  if (runs.length === 1)
    return {
      colorOf: ({ set }) => (set === '' ? 0 : sets.indexOf(set)),
      dashOf: () => dashes['train'] as readonly number[],
    };
  return {
    colorOf: ({ run }) => run,
    dashOf: ({ set }) => dashes[set] as readonly number[],
  };
}

/** A piece of a line, in a colour or in that of the text. */
const sample = (color: number | undefined, dash: readonly number[]): string =>
  `<svg viewBox="0 0 28 10"><path class="${color === undefined ? 'any' : `c${color}`}" stroke-dasharray="${dash.join(' ')}" d="M0 5H28"/></svg>`;

async function figureOf(chart: Chart, runs: readonly RunRecord[], { drawChart, colors }: Drawing, look: Look): Promise<string> {
  const { title, curves, smoothedOver, fitsLog, isCrowded } = chart;
  const linear = await drawChart(chart, 'linear', look.colorOf, look.dashOf);
  const log = fitsLog ? await drawChart(chart, 'log', look.colorOf, look.dashOf) : '';
  const sets = [...new Map(curves.map((curve) => [curve.set, curve])).values()];
  const color = (curve: ChartCurve): number | undefined => (runs.length === 1 ? look.colorOf(curve) % colors : undefined);
  const legend = sets.every(({ set }) => set === '')
    ? ''
    : `<ul class="legend">${sets.map((curve) => `<li>${sample(color(curve), look.dashOf(curve))}${html(curve.set)}</li>`).join('')}</ul>`;
  const notes = [
    ...(smoothedOver === undefined
      ? []
      : [`${isCrowded ? 'restless curves are drawn as' : 'bold:'} means of about ${smoothedOver} values`]),
    ...(curves.some(({ notFinite }) => notFinite.length > 0) ? ['×: not a finite number'] : []),
  ];
  return `<figure><h3>${html(title)}</h3>${legend}
<div class="linear${fitsLog ? ' also' : ''}">${linear}</div>${fitsLog ? `<div class="log">${log}</div>` : ''}
${notes.length === 0 ? '' : `<figcaption>${notes.join('; ')}</figcaption>`}</figure>`;
}

/** Of one run its curves in numbers; of several a line each, with what differs. */
function summaryOf(runs: readonly RunRecord[], { colors, dashes }: Drawing): string {
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
  const line = dashes['train'] as readonly number[];
  const rows = table(
    ['run', ...names.map(html), ...tags.map((tag) => `last ${html(tag)}`), 'steps', 'time', ''],
    runs.map((run, at) => [
      `<span class="legend">${sample(at % colors, line)}${html(nameOf(run))}</span>`,
      ...names.map((name) => shownParameter(run.hparams[name])),
      ...tags.map((tag) => shownNumber(run.curves.get(tag)?.values.at(-1))),
      String(stepsOf(run)),
      timeOf(run),
      run.outcome,
    ]),
  );
  return runs.length <= colors ? rows : `${rows}<p class="soft">Colours repeat after ${colors} runs.</p>`;
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
