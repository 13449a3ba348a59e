// What a report says of a run beside its curves. In: a run. Out: HTML: command, options, environment, texts, variables with their last
// histograms, kernels, the graph. Holds: what comes from the run is text; its drawing is an image, in which nothing runs.

import type { RunRecord } from '../read-run.js';
import type { HyperParameter } from '../recorder.js';
import { html, htmlLines, shownNumber, shownParameter, table } from './html.js';

export function detailsOf(run: RunRecord): string {
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
