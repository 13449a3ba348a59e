// Random programs that are well typed. In: choices. Out: a text that exports entries. Holds: every value is a whole number small enough to
// be exact in f32, or carries on from one by smooth functions whose results nothing compares; so two ways to compute it must agree.

import type { Random } from './random.js';

type DType = 'f32' | 'f64' | 'i32' | 'bool';
type Size = 'B' | 'N' | number;

interface Item {
  readonly text: string;
  readonly dtype: DType;
  readonly shape: readonly Size[];
  /** Largest magnitude when what is fed is no larger than 8. */
  readonly bound: number;
  readonly exact: boolean;
}

const same = (a: Item, b: Item): boolean => a.dtype === b.dtype && a.shape.join() === b.shape.join();
const isFloat = ({ dtype }: Item): boolean => dtype === 'f32' || dtype === 'f64';
/** Sums over B or N have at most so many terms. */
const longest = 64;
const limit = 2 ** 18;

class Writer {
  readonly random: Random;
  readonly items: Item[] = [];
  readonly lines: string[] = [];
  readonly float: 'f32' | 'f64';
  #names = 0;

  constructor(random: Random) {
    this.random = random;
    this.float = random.chance(0.75) ? 'f32' : 'f64';
  }

  find(good: (item: Item) => boolean): Item | undefined {
    const all = this.items.filter(good);
    return all.length === 0 ? undefined : (all[Math.floor(all.length * Math.sqrt(this.random.bits() / 2 ** 32))] as Item);
  }

  bind(text: string, item: Omit<Item, 'text'>): void {
    if (item.bound > limit) {
      if (item.dtype === 'bool') return;
      text = `clip(${text}, ${item.dtype === 'i32' ? '-100, 100' : '-100.0, 100.0'})`;
      item = { ...item, bound: 100 };
    }
    const name = `v${this.#names++}`;
    this.lines.push(`  let ${name} = ${text}`);
    this.items.push({ ...item, text: name });
  }
}

type Grow = (w: Writer) => void;

const withTwo = (w: Writer, good: (item: Item) => boolean, use: (a: Item, b: Item) => void): void => {
  const a = w.find(good);
  const b = a === undefined ? undefined : w.find((item) => same(item, a) && good(item));
  if (a !== undefined && b !== undefined) use(a, b);
};

const growths: readonly Grow[] = [
  (w) =>
    withTwo(
      w,
      ({ dtype }) => dtype !== 'bool',
      (a, b) => {
        const op = w.random.pick(['+', '-', '*', 'max', 'min']);
        const text = op === 'max' || op === 'min' ? `${op}(${a.text}, ${b.text})` : `${a.text} ${op} ${b.text}`;
        w.bind(text, {
          ...a,
          bound: op === '*' ? a.bound * b.bound : op === 'max' || op === 'min' ? Math.max(a.bound, b.bound) : a.bound + b.bound,
          exact: a.exact && b.exact,
        });
      },
    ),
  (w) => {
    const a = w.find(({ dtype }) => dtype !== 'bool');
    if (a !== undefined)
      w.bind(
        w.random.pick([
          `abs(${a.text})`,
          `-${a.text}`,
          `${a.text} * 2`,
          `2 - ${a.text}`,
          `clip(${a.text}, -3, 5)`,
          ...(a.exact && isFloat(a) ? [`floor(${a.text} * 0.5)`, `sign(${a.text})`] : []),
        ]),
        { ...a, bound: a.bound * 2 + 5 },
      );
  },
  (w) =>
    withTwo(
      w,
      (item) => item.exact && item.dtype !== 'bool',
      (a, b) => w.bind(`${a.text} ${w.random.pick(['<', '<=', '>', '>=', '==', '!='])} ${b.text}`, { ...a, dtype: 'bool', bound: 1 }),
    ),
  (w) => {
    const mask = w.find(({ dtype, shape }) => dtype === 'bool' && shape.length > 0);
    const a = mask === undefined ? undefined : w.find(({ dtype, shape }) => dtype !== 'bool' && shape.join() === mask.shape.join());
    const b = a === undefined ? undefined : w.find((item) => same(item, a));
    if (mask !== undefined && a !== undefined && b !== undefined)
      w.bind(`where(${mask.text}, ${a.text}, ${b.text})`, { ...a, bound: Math.max(a.bound, b.bound), exact: a.exact && b.exact });
  },
  (w) => {
    const a = w.find((item) => item.shape.length > 0 && item.dtype !== 'bool' && item.bound * longest < limit);
    if (a === undefined) return;
    const axis = w.random.int(a.shape.length);
    const shape = a.shape.filter((_, at) => at !== axis);
    w.bind(`sum(${a.text}, axis: ${axis})`, { ...a, shape, bound: a.bound * longest });
  },
  (w) => {
    // The largest of no elements is refused when it runs; sizes are at least 1 then.
    const a = w.find((item) => item.shape.length > 0 && item.dtype !== 'bool' && item.shape.every((size) => typeof size === 'number'));
    if (a === undefined) return;
    const axis = w.random.int(a.shape.length);
    w.bind(`${w.random.pick(['max', 'min'])}(${a.text}, axis: ${axis})`, { ...a, shape: a.shape.filter((_, at) => at !== axis) });
  },
  (w) => {
    const a = w.find(({ shape, dtype }) => shape.length === 2 && dtype !== 'bool');
    if (a !== undefined) w.bind(`transpose(${a.text})`, { ...a, shape: [...a.shape].reverse() });
  },
  (w) => {
    const a = w.find((item) => item.shape.length === 2 && isFloat(item) && item.bound < 500);
    const b =
      a === undefined
        ? undefined
        : w.find((item) => item.dtype === a.dtype && item.shape.length === 2 && item.shape[0] === a.shape[1] && item.bound < 500);
    if (a === undefined || b === undefined || a.bound * b.bound * longest > limit * 8) return;
    w.bind(`${a.text} @ ${b.text}`, {
      ...a,
      shape: [a.shape[0] as Size, b.shape[1] as Size],
      bound: a.bound * b.bound * longest,
      exact: a.exact && b.exact,
    });
  },
  (w) => {
    const a = w.find(({ shape }) => shape.length > 0);
    if (a !== undefined) w.bind(w.random.pick([`${a.text}[::-1]`, `expandDims(${a.text}, axis: 0)[0]`, `${a.text}[:]`]), a);
  },
  (w) => {
    const a = w.find(({ shape, dtype }) => shape.length > 0 && dtype !== 'bool');
    const b = a === undefined ? undefined : w.find((item) => item.dtype === a.dtype && item.shape.join() === a.shape.slice(1).join());
    if (a !== undefined && b !== undefined) w.bind(`${a.text} + ${b.text}`, { ...a, bound: a.bound + b.bound, exact: a.exact && b.exact });
  },
  (w) => {
    const a = w.find(isFloat);
    if (a === undefined) return;
    const f = w.random.pick(['tanh', 'sigmoid', 'sin', 'cos', 'atan', 'erf', 'sqrt', 'exp', 'log']);
    const small = `(${a.text} * ${a.bound > 4 ? (4 / a.bound).toPrecision(2) : '0.5'})`;
    const text = f === 'sqrt' || f === 'log' ? `${f}(${small} * ${small} + 1)` : `${f}(${small})`;
    w.bind(text, { ...a, bound: f === 'exp' ? 60 : 5, exact: false });
  },
  (w) => {
    const a = w.find((item) => item.shape.length > 0 && isFloat(item) && item.bound < 100);
    if (a !== undefined) w.bind(`softmax(${a.text})`, { ...a, bound: 1, exact: false });
  },
  (w) => {
    const a = w.find((item) => isFloat(item) && item.shape.length > 0 && item.bound * longest * longest < limit);
    const x = a === undefined ? undefined : w.find((item) => isFloat(item) && item.dtype === a.dtype && /^[xyw]/.test(item.text));
    if (a !== undefined && x !== undefined) w.bind(`grad(sum(${a.text} * 0.5), ${x.text})`, { ...x, bound: limit / 2, exact: false });
  },
  (w) => {
    const a = w.find((item) => isFloat(item) && item.bound < 1000);
    if (a !== undefined)
      w.bind(`fold i in 0..${w.random.pick(['0', '1', '3', '7'])} with z = ${a.text} { z * 0.5 + ${w.float}(i) }`, {
        ...a,
        bound: a.bound + 14,
        exact: false,
      });
  },
  (w) => {
    const a = w.find(({ dtype, bound }) => dtype === 'i32' && bound < limit);
    if (a !== undefined) w.bind(`${w.float}(${a.text})`, { ...a, dtype: w.float });
  },
  (w) => {
    const a = w.find(({ dtype }) => dtype === 'bool');
    if (a !== undefined) w.bind(w.random.pick([`i32(${a.text})`, `${w.float}(${a.text})`].slice(0, 1)), { ...a, dtype: 'i32', bound: 1 });
  },
  (w) => {
    const a = w.find(({ shape, dtype }) => shape.length > 0 && dtype !== 'bool');
    const b = a === undefined ? undefined : w.find((item) => same(item, a));
    if (a !== undefined && b !== undefined)
      w.bind(`stack([${a.text}, ${b.text}], axis: 0)`, {
        ...a,
        shape: [2, ...a.shape],
        bound: Math.max(a.bound, b.bound),
        exact: a.exact && b.exact,
      });
  },
];

/** How results are named says how closely they are compared: `e…` exactly. */
function entry(name: string, random: Random): string {
  const w = new Writer(random);
  const feed = (text: string, dtype: DType, shape: readonly Size[]): string => {
    w.items.push({ text, dtype, shape, bound: dtype === 'bool' ? 1 : 8, exact: true });
    return `${text}: ${dtype}${shape.length === 0 ? '' : `[${shape.join(', ')}]`}`;
  };
  const constant = random.pick([1, 2, 3, 5, 16, 17, 31]);
  const feeds = [
    feed('x', w.float, ['B', 'N']),
    feed('y', w.float, random.pick([['N'], ['B'], ['B', 'N'], ['N', constant]])),
    feed('w', w.float, random.pick([[constant], ['N', constant], [constant, constant], []])),
    feed('k', 'i32', random.pick([['B'], ['N'], ['B', 'N']])),
  ];
  for (let steps = random.pick([1, 3, 6, 10, 16]); steps > 0; steps--) random.pick(growths)(w);
  const results = w.items.slice(-random.pick([1, 2, 3]));
  const fields = results.map((item, at) => `${item.exact ? 'e' : 's'}${at}: ${item.text}`);
  return `export fn ${name}<B, N>(${feeds.join(', ')}) {\n${w.lines.join('\n')}\n  return { ${fields.join(', ')} }\n}`;
}

export const typedProgram = (random: Random, entries = 1 + random.int(2)): string =>
  Array.from({ length: entries }, (_, at) => entry(`f${at}`, random)).join('\n\n');
