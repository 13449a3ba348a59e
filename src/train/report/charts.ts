// Charts as SVG, by Vega-Lite. In: a chart's points. Out: markup without ids, styles and scripts, whose colours are those of the page.
// Holds: this file is bundled on its own (`scripts/bundle.mjs`), because Vega is larger than all that otherwise runs, and few commands
// draw.

import { logger, None, parse, View } from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';
import { type Chart, chartColumns, type ChartCurve } from './chart-data.js';

export type Scale = 'linear' | 'log';

/** Colours of curves; the page says what they are: `--c0` and so on. */
export const colors = 8;

const height = 240;

/** Lines of sets: training is drawn through, others are dashed where there are several runs. */
export const dashes: Readonly<Record<string, readonly number[]>> = { train: [1, 0], validation: [6, 3], test: [2, 3], '': [1, 0] };

/** `colorOf`, `dashOf`: of a curve. */
export async function drawChart(
  chart: Chart,
  scale: Scale,
  colorOf: (curve: ChartCurve) => number,
  dashOf: (curve: ChartCurve) => readonly number[],
): Promise<string> {
  // What it would say of curves without a finite value is in the report already.
  const { spec } = compile(specOf(chart, scale, colorOf, dashOf), { logger: logger(None) });
  const view = new View(parse(spec), { renderer: 'none', logLevel: None });
  try {
    const svg = await view.toSVG();
    // The page gives it its width.
    return svg
      .replace(/^<svg([^>]*?) width="\d+" height="\d+"/, '<svg$1')
      .replaceAll(/ aria-[a-z]+="[^"]*"| role="[^"]*"/g, '')
      .replaceAll(/ d="[^"]*"/g, (path) => path.replaceAll(/\d+\.\d{2,}/g, tenths));
  } finally {
    view.finalize();
  }
}

/** A tenth of a pixel is enough, and makes pages a third shorter. */
const tenths = (number: string): string => String(Number(Number(number).toFixed(1)));

interface Row {
  readonly x: number;
  readonly y: number | null;
  readonly curve: string;
}

function specOf(
  { curves, steps: [first, last], isCrowded }: Chart,
  scale: Scale,
  colorOf: (curve: ChartCurve) => number,
  dashOf: (curve: ChartCurve) => readonly number[],
): TopLevelSpec {
  const rows = (points: (curve: ChartCurve) => ChartCurve['raw'], wanted: (curve: ChartCurve) => boolean): { values: Row[] } => ({
    values: curves.flatMap((curve, at) =>
      wanted(curve)
        ? points(curve).map(({ x, y }) => ({ x, y: y === undefined || (scale === 'log' && y <= 0) ? null : y, curve: String(at) }))
        : [],
    ),
  });
  const domain = curves.map((_, at) => String(at));
  const x = {
    field: 'x',
    type: 'quantitative' as const,
    title: 'step',
    scale: { domain: first === last ? [first - 1, last + 1] : [first, last], nice: false, zero: false },
    axis: { tickMinStep: 1 },
  };
  const y = {
    field: 'y',
    type: 'quantitative' as const,
    title: null,
    scale: scale === 'log' ? { type: scale, nice: false } : { type: scale, zero: false },
  };
  const color = {
    field: 'curve',
    type: 'nominal' as const,
    legend: null,
    scale: { domain, range: curves.map((curve) => `var(--c${colorOf(curve) % colors})`) },
  };
  const strokeDash = {
    field: 'curve',
    type: 'nominal' as const,
    legend: null,
    scale: { domain, range: curves.map((curve) => [...dashOf(curve)]) },
  };
  const line = (width: number, opacity: number) =>
    ({ type: 'line', strokeWidth: width, opacity, invalid: 'break-paths-show-path-domains', strokeJoin: 'round' }) as const;
  const all = (): boolean => true;
  return {
    width: chartColumns,
    height,
    background: 'transparent',
    padding: 4,
    layer: [
      {
        data: rows(
          ({ raw }) => raw,
          ({ smooth }) => smooth.length > 0 && !isCrowded,
        ),
        mark: line(1, 0.3),
        encoding: { x, y, color },
      },
      {
        data: rows(({ smooth, raw }) => (smooth.length > 0 ? smooth : raw), all),
        mark: line(2, 1),
        encoding: { x, y, color, strokeDash },
      },
      {
        data: rows(
          ({ raw }) => raw.filter((point) => point.y !== undefined),
          ({ isSparse }) => isSparse,
        ),
        mark: { type: 'point', filled: true, size: 36, opacity: 1, invalid: 'filter' },
        encoding: { x, y, color },
      },
      {
        data: rows(({ notFinite }) => notFinite.map((step) => ({ x: step, y: 1 })), all),
        mark: { type: 'text', text: '×', fontSize: 16, fontWeight: 'bold', opacity: 1 },
        encoding: { x, y: { value: 8 }, color },
      },
    ],
    config: {
      view: { stroke: null },
      axis: {
        labelColor: 'currentColor',
        titleColor: 'currentColor',
        titleFontWeight: 'normal',
        gridColor: 'var(--line)',
        domainColor: 'var(--line)',
        tickColor: 'var(--line)',
        labelFontSize: 12,
        titleFontSize: 12,
        labelFont: 'system-ui, sans-serif',
        titleFont: 'system-ui, sans-serif',
        tickCount: 7,
      },
      axisY: { tickCount: 6 },
      axisX: { grid: false },
    },
  } as TopLevelSpec;
}
