// Covers of matrix products by register tiles: whole, within the registers, and without a cliff at odd sizes.

import { describe, expect, it } from 'vitest';
import { Dim } from '../../src/base/index.js';
import { build, type Expr } from '../../src/kernel/index.js';
import { chooseTiling, type Tiling } from '../../src/lower/schedule/cpu/matmul/tiling.js';
import { avx2, avx512, sse } from '../targets.js';

const targets = [
  { target: avx512, lanes: 16 },
  { target: avx2, lanes: 8 },
  { target: sse, lanes: 4 },
];

/** The value of index arithmetic, with `B` and `N` for the free sizes and `column` for a name. */
function valueOf(expr: Expr, sizes: ReadonlyMap<string, number>): number {
  switch (expr.kind) {
    case 'const':
      return Number(expr.value);
    case 'size':
      return expr.dim.evaluate(sizes) ?? NaN;
    case 'name':
    case 'index':
      return sizes.get(expr.name) ?? NaN;
    case 'apply': {
      const [a, b] = expr.args.map((arg) => valueOf(arg, sizes)) as [number, number];
      const results: Readonly<Record<string, number>> = {
        add: a + b,
        sub: a - b,
        mul: a * b,
        div: Math.trunc(a / b),
        rem: a % b,
        min: Math.min(a, b),
        max: Math.max(a, b),
      };
      return results[expr.fn] ?? NaN;
    }
    case 'load':
    case 'read':
      return NaN;
  }
}

/** Heights of the tiles from the top, in so many blocks; those of the remainder may reach beyond the end. */
function heights({ rows }: Tiling, sizes: ReadonlyMap<string, number>, blocks = 1): number[] {
  let next = 0;
  return Array.from({ length: blocks }, (_, block) => {
    const part = rows.part(build.int(block), build.int(blocks), (_, value) => value);
    const [start, taller, lower, remainder, end] = [part.start, part.taller, part.lower, part.remainder, part.end].map((expr) =>
      valueOf(expr, sizes),
    ) as [number, number, number, number, number];
    expect(start).toBe(next);
    const tiles = [...Array.from({ length: taller }, () => rows.height + 1), ...Array.from({ length: lower }, () => rows.height)];
    next += tiles.reduce((sum, one) => sum + one, 0);
    if (rows.remainderHeight === undefined) return tiles;
    expect([taller, lower].every((count) => count >= 0) && remainder === next).toBe(true);
    for (; next < end; next += Math.min(rows.remainderHeight, end - next)) tiles.push(Math.min(rows.remainderHeight, end - next));
    return tiles;
  }).flat();
}

/** First column, columns, the fewest that its class says, and width. */
interface TileAcross {
  readonly at: number;
  readonly extent: number;
  readonly least: number;
  readonly width: number;
}

function tilesAcross({ columns }: Tiling, sizes: ReadonlyMap<string, number>): TileAcross[] {
  const groups = Array.from({ length: columns.groups }, (_, group) => build.int(group));
  const found = groups.flatMap((group) => {
    const tiles = columns.classes.map((one) => valueOf(one.count(group), sizes));
    columns.classes.forEach(
      (one, at) =>
        tiles[at] === 0 || expect(valueOf(one.before(group), sizes)).toBe(tiles.slice(0, at).reduce((sum, count) => sum + count, 0)),
    );
    expect(tiles.reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(valueOf(columns.slots, sizes));
    return columns.classes.flatMap((one) =>
      Array.from({ length: valueOf(one.count(group), sizes) }, (_, tile) => {
        const at = valueOf(one.first(group), sizes) + tile * one.width;
        const extent = one.extent({ kind: 'name', name: 'column', dtype: 'i64' });
        return { at, extent: valueOf(extent, new Map([...sizes, ['column', at]])), least: one.least ?? 1, width: one.width };
      }),
    );
  });
  expect(found).toHaveLength(valueOf(columns.count, sizes));
  return found;
}

const some = [1, 2, 3, 5, 7, 8, 9, 10, 15, 16, 17, 31, 32, 50, 53, 55, 56, 64, 100, 127, 300, 509, 512, 784];

describe.each(targets)('tiles of $lanes lanes', ({ target, lanes }) => {
  it.each(['known', 'free'])('cover %s rows once, with two heights at most', (how) => {
    for (const rows of some) {
      const tiling = chooseTiling(
        { rows: how === 'known' ? Dim.of(rows) : Dim.of('B'), columns: Dim.of(300), depth: Dim.of(784), isFed: false },
        lanes,
        target,
      );
      const sizes = new Map([['B', rows]]);
      const all = heights(tiling, sizes);
      for (const blocks of [1, 2, 3, 8]) {
        if (blocks > 1 && blocks > valueOf(tiling.rows.count, sizes)) continue;
        expect(
          heights(tiling, sizes, blocks).reduce((sum, one) => sum + one, 0),
          `${rows} rows in ${blocks} blocks`,
        ).toBe(rows);
      }
      if (how === 'known') expect(new Set(all).size).toBeLessThanOrEqual(2);
    }
  });

  it.each(['known', 'free'])('cover %s columns once, and only the last vector is ever short', (how) => {
    for (const columns of some) {
      const tiling = chooseTiling(
        { rows: Dim.of(50), columns: how === 'known' ? Dim.of(columns) : Dim.of('N'), depth: Dim.of(100), isFed: false },
        lanes,
        target,
      );
      const all = tilesAcross(tiling, new Map([['N', columns]]));
      let next = 0;
      for (const { at, extent, least, width } of all) {
        expect(at).toBe(next);
        expect(extent).toBeGreaterThanOrEqual(least);
        expect(extent).toBeLessThanOrEqual(width);
        if (how === 'known') expect(extent).toBeGreaterThan(width - lanes);
        next += extent;
      }
      expect(next).toBe(columns);
      expect(all.slice(0, -1).every(({ extent, width }) => extent === width)).toBe(true);
    }
  });

  it('cut columns into groups only where threads can own them', () => {
    const groups = (columns: number, isFed: boolean): number =>
      chooseTiling({ rows: Dim.of(50), columns: Dim.of(columns), depth: Dim.of(784), isFed }, lanes, target).columns.groups;
    expect([groups(300, false), groups(300, true), groups(64, false), groups(2000, false)]).toEqual([2, 1, 1, 1]);
  });

  it('cut columns of a weight at the same line, whether a product reads or updates it', () => {
    for (const columns of [100, 150, 300, 304, 512]) {
      const cuts = [50, 100, 784, 'B'].map((rows) => {
        const tiling = chooseTiling(
          { rows: Dim.of(rows), columns: Dim.of(columns), depth: Dim.of(rows === 784 ? 'B' : 784), isFed: false },
          lanes,
          target,
        );
        const second = valueOf(tiling.columns.classes[0]?.first(build.int(1)) as Expr, new Map());
        return tiling.columns.groups === 1 ? 0 : second;
      });
      expect(new Set(cuts).size).toBe(1);
      expect((cuts[0] ?? 0) % 16).toBe(0);
      if (columns >= 300) expect(cuts[0]).toBeGreaterThan(0);
    }
  });

  it('fit into the registers', () => {
    for (const rows of ['B', ...some]) {
      for (const columns of some) {
        const { rows: down, columns: across } = chooseTiling(
          { rows: Dim.of(rows), columns: Dim.of(columns), depth: Dim.of(50), isFed: false },
          lanes,
          target,
        );
        const vectors = Math.max(...across.classes.map(({ width }) => Math.ceil(width / lanes)));
        const { taller } = down.part(build.int(0), build.int(1), (_, value) => value);
        const tall = down.height + (taller.kind === 'const' && Number(taller.value) === 0 ? 0 : 1);
        expect((tall + 1) * vectors + 1).toBeLessThanOrEqual(target.vectorRegisters);
      }
    }
  });

  it('cost a free number of rows at most a quarter more per row than the next multiple of 16', () => {
    const tiling = chooseTiling({ rows: Dim.of('B'), columns: Dim.of(300), depth: Dim.of(784), isFed: false }, lanes, target);
    const vectors = (tiling.columns.classes[0]?.width ?? 0) / lanes;
    // Multiply-adds, two a cycle, and never less than the latency of one.
    const cycles = (rows: number): number => {
      const { rows: down } = tiling;
      return heights(tiling, new Map([['B', rows]])).reduce(
        (sum, height) => sum + Math.max(4, ((height < down.height ? (down.remainderHeight ?? 0) : height) * vectors) / 2),
        0,
      );
    };
    for (const rows of [11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 127, 509, 1021]) {
      const round = Math.ceil(rows / 16) * 16;
      expect(cycles(rows) / rows / (cycles(round) / round), `${rows} rows`).toBeLessThan(1.25);
    }
  });
});
