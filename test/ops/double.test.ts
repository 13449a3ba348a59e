// The f64 functions for machines without libm keep their stated error: at random over all exponents, and near the places where a method
// could fail.

import { describe, expect, it } from 'vitest';
import { type Name, names, compiled, pointsOf } from './double-points.js';
import { digitsInCommon, references, ulpsFrom, wideOf, wideOfText } from './reference.js';

/** What is claimed, in units in the last place. */
const bounds: Readonly<Record<Name, number>> = {
  exp: 1,
  expm1: 1,
  log: 1,
  log1p: 1,
  sin: 1,
  cos: 1,
  tan: 1,
  asin: 1,
  acos: 1,
  atan: 1,
  atan2: 1,
  sinh: 1,
  cosh: 1,
  tanh: 1,
  asinh: 1,
  acosh: 1,
  atanh: 1,
  erf: 1.2,
  pow: 1,
};

/** Results never leave it, however they are rounded. */
const range: Partial<Record<Name, readonly [number, number]>> = {
  sin: [-1, 1],
  cos: [-1, 1],
  tanh: [-1, 1],
  erf: [-1, 1],
  asin: [-Math.PI / 2, Math.PI / 2],
  acos: [0, Math.PI],
  atan: [-Math.PI / 2, Math.PI / 2],
  atan2: [-Math.PI, Math.PI],
  expm1: [-1, Infinity],
  cosh: [1, Infinity],
};

/** Whether the reference is defined, and the result no special value. */
const domain: Partial<Record<Name, (x: number, y: number) => boolean>> = {
  log: (x) => x > 0,
  log1p: (x) => x > -1,
  asin: (x) => Math.abs(x) <= 1,
  acos: (x) => Math.abs(x) <= 1,
  acosh: (x) => x >= 1,
  atanh: (x) => Math.abs(x) < 1,
  pow: (x) => x > 0,
};

// Denser on demand: TFC_LONG=1.
const count = process.env['TFC_LONG'] === '1' ? 20_000 : 1500;

describe('f64 functions without libm', () => {
  it.each(names)('%s keeps its bound', (name) => {
    const run = compiled(name);
    let worst = { ulps: 0, at: [0, 0] as readonly number[] };
    for (const point of pointsOf(name, count)) {
      if (domain[name]?.(...point) === false || !point.every(Number.isFinite)) continue;
      const got = run(...point);
      const [low, high] = range[name] ?? [-Infinity, Infinity];
      if (!(got >= low && got <= high)) expect.fail(`${name}(${point.join(', ')}) is ${got}`);
      const exact = references[name](...(point.map(wideOf) as [ReturnType<typeof wideOf>, ReturnType<typeof wideOf>]));
      const ulps = ulpsFrom(got, exact);
      if (ulps > worst.ulps) worst = { ulps, at: point };
    }
    if (process.env['TFC_ULP']) console.log(name, worst.ulps.toFixed(3), worst.at.join());
    expect(worst.ulps, `${name}(${worst.at.join(', ')})`).toBeLessThanOrEqual(bounds[name]);
  });
});

describe('the reference', () => {
  // In 45 digits, by an arbitrary-precision library.
  it.each([
    ['exp', -700.3, 0, '7.30422803364571536502872698612118490128878091e-305'],
    ['expm1', 1e-9, 0, '0.00000000100000000050000006244825818676978124115938946'],
    ['log', 0.7, 0, '-0.356674943938732442353954404107274514571809071'],
    ['log1p', -1e-7, 0, '-0.000000100000005000000328808169063405032209031291678'],
    ['sin', 5.319372648326541e255, 0, '0.999999999999999999999999999999999999890152378'],
    ['cos', 1e22, 0, '0.523214785395138945497594473384709492140919972'],
    ['tan', 11.0, 0, '-225.950846454195142025795483203453153951657510'],
    ['asin', 0.999, 0, '1.52607123962616316811638530200677983823004614'],
    ['acos', -0.3, 0, '1.87548898081029411556502503192631563718501244'],
    ['atan', 3.7, 0, '1.30683260316919206875491140914384498421489783'],
    ['sinh', 0.01, 0, '0.0100001666675000021923069654062209131097916117'],
    ['cosh', 20.5, 0, '399951088.737752703977375851835366356195976977'],
    ['tanh', 0.3, 0, '0.291312612451590895658160015769398948261722039'],
    ['asinh', -100000.0, 0, '-12.2060726455551737295062518948800496894143375'],
    ['acosh', 1.00001, 0, '0.00447213222824265102403769765393807405226763099'],
    ['atanh', 0.6, 0, '0.693147180559945274722762601922035402060739652'],
    ['erf', 2.3, 0, '0.998856823402643347524080071796642394142830052'],
    ['atan2', -0.3, -0.8, '-2.78282198331922104848379248716554899969477997'],
    ['pow', 1.1, 700.5, '98986496524636235591160641613.7778538918052081'],
  ] as const)('knows %s(%d, %d)', (name, x, y, text) => {
    expect(digitsInCommon(references[name](wideOf(x), wideOf(y)), wideOfText(text))).toBeGreaterThan(130);
  });
});
