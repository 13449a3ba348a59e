// A module that is called, and what it computes, in plain JavaScript. In: feeds as shapes and numbers, the values of variables. Out:
// results and new values, or undefined where the call has to be refused.
// Holds: all numbers are whole and small, so every way to compute them agrees.

import type { ElementType } from '../../runtime/index.js';

export const source = `param w: f32[3] = 1
state t: i32 = 0
export fn twice<B>(x: f32[B]): f32[B] = x * 2 + 1
export fn pair<B>(x: f32[B], y: f32[B]): { sum: f32[B], dot: f32 } = { sum: x + y, dot: sum(x * y) }
export fn mixed<N>(a: i64, b: bool[N], c: u8[N], d: f64[N]): { a: i64, b: bool[N], c: u8[N], d: f64 } = { a: a + 1, b: !b, c: c, d: sum(where(b, d, 0)) }
export fn turn<B, N>(x: f32[B, N]): f32[N, B] = transpose(x)
export fn weights(): f32[3] = w
export step train<B>(x: f32[B, 3], scale: f32): f32 {
  w <- w + sum(x, axis: 0) * scale
  t <- t + 1
  return sum(x) * scale
}
export step run(x: f32): f32 {
  t <- t + 2
  return x * 3
}
`;

export interface Plain {
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

export interface State {
  w: number[];
  t: number;
}

type Given = Readonly<Record<string, Plain>>;
export type Results = Readonly<Record<string, Plain>>;

export interface EntryModel {
  readonly feeds: Readonly<Record<string, { readonly dtype: ElementType; readonly rank: number }>>;
  /** Axes that must agree, as `feed.axis` or a number. */
  readonly equal: readonly (readonly (string | number)[])[];
  compute(given: Given, state: State): { readonly results: Results; readonly state: State };
}

const sum = (data: readonly number[]): number => data.reduce((total, one) => total + one, 0);
const plain = (shape: readonly number[], data: readonly number[]): Plain => ({ shape, data });
const column = ({ data }: Plain, at: number): number[] => data.filter((_, index) => index % 3 === at);

export const entries: Readonly<Record<string, EntryModel>> = {
  twice: {
    feeds: { x: { dtype: 'f32', rank: 1 } },
    equal: [],
    compute: ({ x = none }, state) => ({
      results: {
        '': plain(
          x.shape,
          x.data.map((one) => one * 2 + 1),
        ),
      },
      state,
    }),
  },
  pair: {
    feeds: { x: { dtype: 'f32', rank: 1 }, y: { dtype: 'f32', rank: 1 } },
    equal: [['x.0', 'y.0']],
    compute: ({ x = none, y = none }, state) => {
      const other = (at: number): number => y.data[at] ?? NaN;
      return {
        results: {
          sum: plain(
            x.shape,
            x.data.map((one, at) => one + other(at)),
          ),
          dot: plain([], [sum(x.data.map((one, at) => one * other(at)))]),
        },
        state,
      };
    },
  },
  mixed: {
    feeds: { a: { dtype: 'i64', rank: 0 }, b: { dtype: 'bool', rank: 1 }, c: { dtype: 'u8', rank: 1 }, d: { dtype: 'f64', rank: 1 } },
    equal: [
      ['b.0', 'c.0'],
      ['b.0', 'd.0'],
    ],
    compute: ({ a = none, b = none, c = none, d = none }, state) => ({
      results: {
        a: plain([], [(a.data[0] ?? NaN) + 1]),
        b: plain(
          b.shape,
          b.data.map((one) => 1 - one),
        ),
        c,
        d: plain([], [sum(d.data.filter((_, at) => b.data[at] === 1))]),
      },
      state,
    }),
  },
  turn: {
    feeds: { x: { dtype: 'f32', rank: 2 } },
    equal: [],
    compute: ({ x = none }, state) => {
      const [rows = 0, columns = 0] = x.shape;
      return {
        results: {
          '': plain(
            [columns, rows],
            Array.from({ length: rows * columns }, (_, at) => x.data[(at % rows) * columns + Math.floor(at / rows)] ?? NaN),
          ),
        },
        state,
      };
    },
  },
  weights: { feeds: {}, equal: [], compute: (_, state) => ({ results: { '': plain([3], state.w) }, state }) },
  train: {
    feeds: { x: { dtype: 'f32', rank: 2 }, scale: { dtype: 'f32', rank: 0 } },
    equal: [['x.1', 3]],
    compute: ({ x = none, scale = none }, { w, t }) => {
      const factor = scale.data[0] ?? NaN;
      return {
        results: { '': plain([], [sum(x.data) * factor]) },
        state: { w: w.map((one, at) => one + sum(column(x, at)) * factor), t: t + 1 },
      };
    },
  },
  // It has the name of a session's own method.
  run: {
    feeds: { x: { dtype: 'f32', rank: 0 } },
    equal: [],
    compute: ({ x = none }, { w, t }) => ({ results: { '': plain([], [(x.data[0] ?? NaN) * 3]) }, state: { w, t: t + 2 } }),
  },
};

const none: Plain = { shape: [], data: [] };

export const initial = (): State => ({ w: [1, 1, 1], t: 0 });

/** Whether the shapes are those that the entry takes. */
export function fits({ feeds, equal }: EntryModel, given: Given): boolean {
  const size = (what: string | number): number | undefined => {
    if (typeof what === 'number') return what;
    const [feed = '', axis] = what.split('.');
    return given[feed]?.shape[Number(axis)];
  };
  return (
    Object.entries(feeds).every(([name, { rank }]) => given[name]?.shape.length === rank) &&
    equal.every(([a, b]) => size(a as string) === size(b as string | number))
  );
}
