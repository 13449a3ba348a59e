// Words of the text form that the printer and the parser share. In: names, sizes, functions. Out: their spelling. Holds: a spelled name
// reads back as itself.

import { type Dim, type DType, isDType } from '../base/index.js';
import { dtypeOf } from './build.js';
import type { Axis, Combiner, Expr } from './ir.js';

/** Binary functions written between their operands, with how tightly they bind. */
export const infix: Readonly<Record<string, { readonly symbol: string; readonly level: number }>> = {
  lt: { symbol: '<', level: 1 },
  le: { symbol: '<=', level: 1 },
  gt: { symbol: '>', level: 1 },
  ge: { symbol: '>=', level: 1 },
  eq: { symbol: '==', level: 1 },
  ne: { symbol: '!=', level: 1 },
  add: { symbol: '+', level: 2 },
  sub: { symbol: '-', level: 2 },
  mul: { symbol: '*', level: 3 },
  div: { symbol: '/', level: 3 },
  rem: { symbol: '%', level: 3 },
};

export const comparisons: ReadonlySet<string> = new Set(['lt', 'le', 'gt', 'ge', 'eq', 'ne']);

/** How `accumulate` is written: `s += x`, `s max= x`. */
export const combinerText: Readonly<Record<Combiner, string>> = {
  sum: '+=',
  product: '*=',
  max: 'max=',
  min: 'min=',
  any: 'any=',
  all: 'all=',
};

export const axes: readonly Axis[] = ['serial', 'parallel', 'vector', 'unroll'];

const keywords: ReadonlySet<string> = new Set([
  ...axes,
  ...[
    'program',
    'dims',
    'feed',
    'output',
    'variable',
    'temporary',
    'slot',
    'kernel',
    'from',
    'reads',
    'writes',
    'flops',
    'for',
    'in',
    'limit',
    'let',
    'acc',
    'fetch',
    'own',
    'later',
    'nontemporal',
    'ahead',
    'if',
    'else',
    'share',
    'barrier',
    'copy',
    'commit',
    'wait',
    'settle',
    'swizzled',
    'multiply',
    'combine',
    'lanes',
  ],
]);

const plain = /^[A-Za-z_](?:[\w./']*[\w'])?$/;

/** A name as it stands in the text: bare when it is a plain word, else between back-quotes. */
export function spell(name: string): string {
  if (plain.test(name) && !keywords.has(name) && !isDType(name) && !name.includes('..')) return name;
  return `\`${JSON.stringify(name).slice(1, -1).replaceAll('`', '\\u0060')}\``;
}

/** A size polynomial: `784*B + 3`. */
export function dimText(dim: Dim): string {
  if (dim.terms.length === 0) return '0';
  return dim.terms
    .map((term, at) => {
      const factor = Math.abs(term.coefficient);
      const parts = [...(factor === 1 && term.names.length > 0 ? [] : [`${factor}`]), ...term.names.map(spell)];
      const sign = term.coefficient < 0 ? (at === 0 ? '-' : ' - ') : at === 0 ? '' : ' + ';
      return sign + parts.join('*');
    })
    .join('');
}

/** The dtype that a function has when the text does not name one; undefined when it must. */
export function impliedDType(fn: string, args: readonly Expr[]): DType | undefined {
  if (comparisons.has(fn)) return 'bool';
  if (fn === 'convert' || fn === 'bitcast') return undefined;
  const from = fn === 'select' || fn === 'unlikely' ? args[1] : args[0];
  return from === undefined ? undefined : dtypeOf(from);
}
