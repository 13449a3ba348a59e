// The depth of a matrix product in runs: what one register adds up goes to a total before it grows long (see the note at the end). In: a
// tile's sums, how a step of the depth is written, where totals are kept. Out: statements in a scope.
// Holds: runs have a fixed length and are added in order, with what the additions round off, so no tiling changes a bit.

import { type Accumulator, type Buffer, build, type Expr } from '../../../../kernel/index.js';
import { depthRun } from '../../../../target/index.js';
import { innerAt, type MatmulForm } from '../../../form/forms.js';
import { partOf, type Scope } from '../../../form/scope.js';
import { twoSum, withLost } from '../running-sum.js';

/**
 * Where runs of a long depth are added up. Of a depth that is known, in registers beside the sums, which wait on the stack while a run is
 * computed; else in memory, because registers that nearly all products leave unused would still cost them something. Blocks have a tile
 * each there; where it is not known how many there are, every element of the product has a place.
 */
export type LongDepth =
  | { readonly kind: 'registers'; readonly runs: number }
  | { readonly kind: 'memory'; readonly totals: Buffer; readonly lost: Buffer; readonly isPerBlock: boolean };

/** Writes a step of the depth: its number, and where it is along each inner axis. */
export type StepFill = (k: Expr, along: readonly Expr[], body: Scope) => void;

/** An element of a tile, and where memory that keeps totals has it. */
export interface Element {
  readonly i: Expr;
  readonly j: Expr;
  readonly index: readonly Expr[];
}

/** Runs `fill` for every element of a tile that exists, in lanes. */
export type Elements = (where: Scope, fill: (vector: Scope, element: Element) => void) => void;

/** What runs of the depth are added to. */
interface Totals {
  begin(scope: Scope, elements: Elements): void;
  add(vector: Scope, element: Element): void;
  read(element: Element): Expr;
}

/**
 * The depth in runs of `depthRun` steps: what a run has summed up goes to totals before the next one begins. A product that is no deeper
 * than one run touches no totals.
 */
export function inRuns(scope: Scope, form: MatmulForm, long: LongDepth, sums: Accumulator, step: StepFill, elements: Elements): void {
  const { depth } = form;
  const each = build.int(depthRun);
  const zero = build.constant(sums.dtype, 0);
  const several = build.apply('gt', 'bool', build.size(depth), each);
  const ifSeveral = (where: Scope, fill: (body: Scope) => void): void =>
    depth.constant === undefined ? where.when(several, fill) : fill(where);
  const totals = long.kind === 'memory' ? inMemory(long, sums) : inRegisters(scope, long.runs, sums);
  ifSeveral(scope, (body) => totals.begin(body, elements));
  const run = (n: Expr, body: Scope): void => {
    const start = body.let('start', build.times(n, each));
    const left = build.smaller(each, build.minus(build.size(depth), start));
    body.loop(
      'k',
      left,
      'serial',
      (k, inner) => {
        const at = build.plus(start, k);
        const along = innerAt(form, at);
        step(at, along.length === 1 ? along : along.map((one) => inner.let('at', one)), inner);
      },
      partOf(n),
    );
    ifSeveral(body, (after) =>
      elements(after, (vector, place) => {
        totals.add(vector, place);
        vector.emit({ kind: 'assign', accumulator: sums, index: [place.i, place.j], value: zero });
      }),
    );
  };
  scope.loop('n', build.ceilDiv(build.size(depth), each), 'serial', run, { blocks: depth });
  ifSeveral(scope, (body) =>
    elements(body, (vector, place) =>
      vector.emit({ kind: 'assign', accumulator: sums, index: [place.i, place.j], value: totals.read(place) }),
    ),
  );
}

function inMemory({ totals, lost }: LongDepth & { readonly kind: 'memory' }, sums: Accumulator): Totals {
  const zero = build.constant(sums.dtype, 0);
  return {
    begin: (scope, elements) =>
      elements(scope, (vector, { index }) =>
        vector.emit({ kind: 'store', buffer: totals, index, value: zero }, { kind: 'store', buffer: lost, index, value: zero }),
      ),
    add: (vector, { i, j, index }) => {
      const { sum, error } = twoSum(vector, build.load(totals, index), build.read(sums, [i, j]));
      vector.emit(
        { kind: 'store', buffer: lost, index, value: build.apply('add', sums.dtype, build.load(lost, index), error) },
        { kind: 'store', buffer: totals, index, value: sum },
      );
    },
    read: ({ index }) => withLost(sums.dtype, build.load(totals, index), build.load(lost, index)),
  };
}

/** Of two runs the sum has all that is kept: what its only addition rounds off would be rounded off again. */
function inRegisters(scope: Scope, runs: number, sums: Accumulator): Totals {
  const registers = (stem: string): Accumulator => {
    const accumulator: Accumulator = { ...sums, name: scope.names.fresh(stem) };
    scope.emit({ kind: 'declare', accumulator, initial: build.constant(sums.dtype, 0) });
    return accumulator;
  };
  const totals = registers('total');
  const lost = runs > 2 ? registers('lost') : undefined;
  return {
    begin: () => undefined,
    add: (vector, { i, j }) => {
      const [index, value] = [[i, j], build.read(sums, [i, j])];
      if (lost === undefined) {
        vector.emit({ kind: 'accumulate', accumulator: totals, index, combine: 'sum', value });
        return;
      }
      const { sum, error } = twoSum(vector, build.read(totals, index), value);
      vector.emit(
        { kind: 'assign', accumulator: lost, index, value: build.apply('add', sums.dtype, build.read(lost, index), error) },
        { kind: 'assign', accumulator: totals, index, value: sum },
      );
    },
    read: ({ i, j }) => {
      const total = build.read(totals, [i, j]);
      return lost === undefined ? total : withLost(sums.dtype, total, build.read(lost, [i, j]));
    },
  };
}

/* Note: totals in registers.
   max(x @ w, 0) of x: f32[19, 2048] and w: f32[2048, 48], a tile of eight rows (shortened):

     acc acc5: f32[8, 48] = f32(0)
     acc total7: f32[8, 48] = f32(0)
     for n8 in 0..2 blocks 2048 {
       for k10 in 0..min(1024, 2048 - n8 * 1024) part n8 { … }
       unroll for i14 in 0..8 { vector for j15 in 0..48 limit 48 { total7[i14, j15] += acc5[i14, j15]  acc5[i14, j15] = f32(0) } }
     }

   Nothing but a run's own sums is used within it, so the code generator puts totals on the stack meanwhile. Of more than two runs
   `lost` stands beside `total`, as in ../running-sum.ts. Shown by "of products over a long depth" in test/lower/sums.test.ts and by
   "takes no memory for runs of a known depth" in test/lower/panels.test.ts. */
