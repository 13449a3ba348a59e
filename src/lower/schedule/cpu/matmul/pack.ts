// Panels (packing): a large right side is copied so that the columns of each tile follow each other, one step of the depth after the other
// (see the note at the end). In: a matrix product and its tiling. Out: a temporary for the panels, and the loop that fills it.
// Holds: panels have the elements of the right side, whole vectors per step.

import { bytesOf, Dim, roundUp } from '../../../../base/index.js';
import type { TensorNode } from '../../../../graph/index.js';
import { type Buffer, build, type Expr } from '../../../../kernel/index.js';
import { competing, leastPackedRows, mostUnpacked, nearBytes, packedSteps, type CpuTarget, type Ways } from '../../../../target/index.js';
import type { ColumnClass, ColumnTiling } from './column-tiling.js';
import { innerAt, rightIndex, tensorOf, type MatmulForm } from '../../../form/forms.js';
import { partOf, type Scope } from '../../../form/scope.js';
import type { BufferPool } from '../../../form/storage.js';
import type { Tiling } from './tiling.js';
import type { Values } from '../../../form/values.js';

export interface Packing {
  readonly buffer: Buffer;
  /** Whether the panels are filled and read, where the number of rows is known at run time only: whether there are enough of them. */
  readonly enough: Expr | undefined;
}

/** `pitch`: elements from one row of the right side to the next. */
export function packingOf(form: MatmulForm, tiling: Tiling, pitch: number, pool: BufferPool, target: CpuTarget): Packing | undefined {
  const { lanes } = tiling.columns;
  const all = rowsOf(form);
  const [rows, across, depth] = [all.constant, form.columns.constant, form.depth.constant];
  if (across === undefined || depth === undefined || form.batch.slice(0, form.shared).some((dim) => dim.constant !== 1)) return undefined;
  const elementBytes = bytesOf(form.node.type.dtype);
  const least = leastRowsOf({ depth, rowBytes: pitch * elementBytes, elementBytes }, tiling, target);
  if (least === undefined || (rows !== undefined && rows < least)) return undefined;
  const padded = roundUp(across, lanes);
  const [, right] = form.node.args.map(tensorOf) as [TensorNode, TensorNode];
  const buffer = pool.temporary({ dtype: right.type.dtype, shape: [Dim.of(padded * depth)] });
  return {
    buffer,
    enough: rows !== undefined ? undefined : build.apply('ge', 'bool', build.size(all), build.int(least)),
  };
}

/** All rows that the right side serves. */
const rowsOf = ({ batch, shared, rows }: MatmulForm): Dim => batch.slice(shared).reduce((count, size) => count.mul(size), rows);

/**
 * Rows of a product from which on panels pay; undefined where they never do. Rows of a right side whose length falls onto few places of a
 * cache are not kept there.
 */
function leastRowsOf(
  { depth, rowBytes, elementBytes }: { readonly depth: number; readonly rowBytes: number; readonly elementBytes: number },
  { columns }: Tiling,
  target: CpuTarget,
): number | undefined {
  const { near, second } = competing(target);
  const { ofMany, ofFew } = mostUnpacked(target);
  const competes = ({ wayBytes, ways }: Ways): boolean => depth > (wayBytes / greatestDivisor(rowBytes, wayBytes)) * ways;
  const bytes = depth * rowBytes;
  if (competes(second) || bytes > ofFew) return leastPackedRows.much;
  const tileStays = depth * columns.width * elementBytes <= nearBytes(target);
  const least = [...(bytes > ofMany ? [leastPackedRows.somewhat] : []), ...(tileStays && competes(near) ? [leastPackedRows.near] : [])];
  return least.length === 0 ? undefined : Math.min(...least);
}

const greatestDivisor = (a: number, b: number): number => (b === 0 ? a : greatestDivisor(b, a % b));

/** Every class of every group, from the left. */
function groupsOf({ classes, groups }: ColumnTiling): (readonly [Expr, ColumnClass])[] {
  const all = Array.from({ length: groups }, (_, group) => build.int(group)).flatMap((group) =>
    classes.map((one) => [group, one] as const),
  );
  return all.filter(([group, one]) => build.intValue(one.count(group)) !== 0);
}

/** Where step `k` of the panel that starts at `column` has its element `j`. Only the last panel is padded. */
export function panelIndex(form: MatmulForm, width: number, lanes: number, column: Expr, k: Expr, j: Expr): Expr {
  return build.plus(build.plus(build.times(column, build.size(form.depth)), build.times(k, build.int(roundUp(width, lanes)))), j);
}

/** Fills the panels, a few steps of the depth at a time. */
export function emitPanels(
  scope: Scope,
  form: MatmulForm,
  { columns }: Tiling,
  { buffer, enough }: Packing,
  values: Values,
  parallel: boolean,
): void {
  const [, right] = form.node.args.map(tensorOf) as [TensorNode, TensorNode];
  const batch = form.batch.map(() => build.int(0));
  const depth = build.size(form.depth);
  const blocks = build.ceilDiv(depth, build.int(packedSteps));
  const fill = (p: Expr, body: Scope): void => {
    const start = body.let('start', build.times(p, build.int(packedSteps)));
    for (const [group, one] of groupsOf(columns)) {
      body.loop('tile', one.count(group), 'serial', (tile, panel) => {
        const column = panel.let('column', build.plus(one.first(group), build.times(tile, build.int(one.width))));
        const copied = (at: Expr, step: Scope): void => {
          const k = step.let('k', build.plus(start, at));
          step.loop('j', one.extent(column), 'vector', (j, vector) =>
            vector.emit({
              kind: 'store',
              buffer,
              index: [panelIndex(form, one.width, columns.lanes, column, k, j)],
              value: values.at(right, rightIndex(form, batch, innerAt(form, k), build.plus(column, j)), vector),
            }),
          );
        };
        panel.loop('k', build.smaller(build.int(packedSteps), build.minus(depth, start)), 'serial', copied, partOf(p));
      });
    }
  };
  const when = enough === undefined ? {} : { when: enough };
  scope.loop('p', blocks, parallel ? 'parallel' : 'serial', fill, { blocks: form.depth, ...when });
}

/* Note: when panels pay.
   f32[128, 1024] @ f32[1024, 1024] in tiles of 48 columns: the kernel that fills panels, and how the product reads w without and with
   them:

     parallel for p0 in 0..128 blocks 1024 {
       for tile2 in 0..20 { for k4 in 0..min(8, 1024 - p0 * 8) part p0 {
         vector for j6 in 0..48 { t0[tile2 * 48 * 1024 + (p0 * 8 + k4) * 48 + j6] = in_w[p0 * 8 + k4, tile2 * 48 + j6] }
       } }
     }

     b9[j11] = in_w[k10, column5 + j11]

     b9[j11] = t0[column5 * 1024 + k10 * 48 + j11]

   A tile reads a few lines of every row of the right side. Rows whose length has many factors of two fall onto few places of a cache
   (1024 columns of f32: 32 places with 16 ways, so 512 rows fill it), and of a very large right side every row lies on a page of its
   own. The nearest cache has fewer places still: with 512 columns 16 rows fill those of a tile, which without that would stay there from
   tile to tile. Copied once, a tile's columns follow each other, aligned, from one end of memory to the other, and the tiles of a block
   ask for the next ones. The copy costs as much as ten or twenty rows of the product; a number of rows that is not known decides at run
   time. Other right sides are read as they lie, also where their rows do not start on lines (see prefetch.ts); `mostUnpacked` and
   `leastPackedRows` have what was measured. Packing is K. Goto and R. van de Geijn, "Anatomy of High-Performance Matrix Multiplication",
   ACM TOMS 34(3), 2008. Shown by test/lower/panels.test.ts. */
