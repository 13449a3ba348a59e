// How the sides of a matrix product come to shared memory. In: a product, its storage, a tile. Out: for each side how its lines lie there,
// and the statements that bring a stage of it. Holds: what lies beyond the product is 0 there; a copy moves as many elements as follow each
// other in memory, from addresses that are multiples of what it moves.

import { bytesOf, Dim, type DType, elementCount, type Precision, type Shape } from '../../../../base/index.js';
import type { Node, TensorNode } from '../../../../graph/index.js';
import { type Accumulator, type Buffer, build, type Expr, LinearForms, type Stmt, swizzledBytes } from '../../../../kernel/index.js';
import { linePadding, linePaddingOfWords } from '../../../../target/index.js';
import {
  combinedAs,
  formatOf,
  identity,
  innerAt,
  isRoundedLater,
  type MatmulForm,
  rightIndex,
  tensorOf,
  widthAs,
} from '../../../form/forms.js';
import { splitIndex } from '../../../form/index-expressions.js';
import type { Forms } from '../../../form/materialize.js';
import { Names, Scope } from '../../../form/scope.js';
import type { Storage } from '../../../form/storage.js';
import { Values } from '../../../form/values.js';
import type { BlockTile } from './tiles.js';

/** The left side, whose lines are rows, or the right one, whose lines are columns. */
export type Which = 'left' | 'right';

/** The place of a stage: its number, and the first step and line of the product that it has. */
export interface Stage {
  readonly number: Expr;
  readonly batch: readonly Expr[];
  readonly step: Expr;
  readonly line: Expr;
  /** Where the steps end. */
  readonly limit: Expr;
}

/** A side in shared memory. */
export interface Staged {
  readonly buffer: Buffer;
  /** What the last axis of the buffer runs over. */
  readonly along: 'depth' | 'lines';
  at(stage: Expr, step: Expr, line: Expr): readonly Expr[];
  /** Begins to bring a stage; `copies`: nothing but a wait for it is left to do. Else `finish` puts what came where it belongs. */
  begin(scope: Scope, stage: Stage): void;
  readonly copies: boolean;
  finish(scope: Scope, stage: Expr): void;
}

/** What runs over the rows of a product: axes before the last one, which the right side does not have, and the last one. */
export const rowAxes = ({ batch, shared, rows }: MatmulForm): Shape => [...batch.slice(shared), rows];

/** Matrices that a product has side by side: all that both sides have. */
export const matricesOf = ({ batch, shared }: MatmulForm): Dim => elementCount(batch.slice(0, shared));

/** What a product reads of a side. */
export interface SideRead {
  readonly which: Which;
  readonly lines: Dim;
  /** The format that holds all elements as they are, or, where they are rounded on the way, as they are multiplied. */
  readonly holds: Precision;
  readonly order: MemoryOrder;
  /** An element; the index of the lines is split into axes in `scope`. */
  element(batch: readonly Expr[], line: Expr, step: Expr, scope: Scope): Expr;
}

/** Which way neighbouring elements lie in memory, and how many, a power of two, follow each other from a multiple of as many on. */
interface MemoryOrder {
  readonly along: 'depth' | 'lines';
  readonly run: number;
  /** Whether elements are what lies in memory. */
  readonly source: Buffer | undefined;
}

/** Where a product finds what it reads: whatever has storage. */
export interface ReadFrom {
  readonly forms: Forms;
  readonly storage: Pick<Storage, 'stored'>;
}

/** The sides of a product, and in what format tensor cores multiply them, with sums in f32; undefined where others are needed. */
export function readSides(
  form: MatmulForm,
  from: ReadFrom,
): { readonly left: SideRead; readonly right: SideRead; readonly multiplied: Precision | undefined } {
  const sides = (roundsLater: boolean) => ({
    left: readSide(form, 'left', from, roundsLater),
    right: readSide(form, 'right', from, roundsLater),
  });
  const { left, right } = sides(true);
  const isTensor = combinedAs(form.node.type.dtype) === 'f32' && [left, right].every(({ holds }) => isTensorFormat(holds));
  if (!isTensor) return { ...sides(false), multiplied: undefined };
  if (left.holds === right.holds) return { left, right, multiplied: left.holds };
  // TF32 has all numbers of 16 bits, once they are such.
  return { ...sides(false), multiplied: 'tf32' };
}

export const isTensorFormat = (format: Precision): boolean => format === 'tf32' || format === 'bf16' || format === 'f16';

/** `roundsLater`: whether what is rounded on the way stands in the place of what it becomes. */
export function readSide(form: MatmulForm, which: Which, { forms, storage }: ReadFrom, roundsLater: boolean): SideRead {
  let [seen, rounded]: (Precision | undefined)[] = [];
  const values = new Values({
    stored: (node) => storage.stored(node),
    form: (node) => forms.of(node),
    isRoundedLater: (node) => {
      const isLater = roundsLater && isRoundedLater(node);
      if (isLater) rounded = formatOf(node);
      return isLater;
    },
    observe: (node) => (seen = formatOf(node)),
  });
  const element = (batch: readonly Expr[], line: Expr, step: Expr, scope: Scope): Expr => {
    const read = (node: TensorNode, index: readonly Expr[]): Expr => values.at(node, index, scope);
    const inner = innerAt(form, step).map((one) => scope.let('k', one));
    if (which === 'right') return asKept(read(tensorOf(form.node.args[1] as Node), rightIndex(form, batch, inner, line)));
    return asKept(form.left([...batch, ...splitIndex(rowAxes(form), line, scope), ...inner], read));
  };
  const lines = which === 'left' ? elementCount(rowAxes(form)) : form.columns;
  const scope = Scope.root(new Names());
  const batch = form.batch.slice(0, form.shared).map((_, axis) => build.index(`b${axis}`));
  const value = element(batch, build.index('line'), build.index('step'), scope);
  const last = which === 'left' ? form.rows : form.columns;
  const format = value.kind === 'load' ? seen : undefined;
  return {
    which,
    lines,
    holds: rounded ?? format ?? build.dtypeOf(value),
    order: memoryOrder(value, scope.statements, { depth: form.inner, lines: [last] }),
    element,
  };
}

/** What is loaded, before it becomes as wide as its node. */
function asKept(value: Expr): Expr {
  const [of] = value.kind === 'apply' && value.fn === 'convert' ? value.args : [];
  return of?.kind === 'load' && value.kind === 'apply' && bytesOf(of.buffer.dtype) < bytesOf(value.dtype) ? of : value;
}

/** `axes`: of which the last one runs fastest. */
function memoryOrder(value: Expr, named: readonly Stmt[], axes: Readonly<Record<'depth' | 'lines', Shape>>): MemoryOrder {
  if (value.kind !== 'load') return { along: 'lines', run: 1, source: undefined };
  const { buffer, index } = value;
  const lets = new Map(named.flatMap((stmt) => (stmt.kind === 'let' ? [[stmt.name, stmt.value] as const] : [])));
  const { terms, constant } = new LinearForms(lets, { joins: false }).offset(index, buffer, index);
  // Of several axes the last one's index is a remainder.
  const unit = (name: string) =>
    terms.find(({ atom, coefficient }) => {
      const last = atom.kind === 'apply' && atom.fn === 'rem' ? atom.args[0] : atom;
      return last?.kind === 'index' && last.name === name && coefficient.constant === 1;
    });
  const step = unit('step');
  const along = step === undefined ? 'lines' : 'depth';
  const moved = step ?? unit('line');
  const axis = axes[along].findLast((size) => size.constant !== 1) ?? Dim.one;
  const others = [axis, constant, ...terms.filter((one) => one !== moved).map(({ coefficient }) => coefficient)];
  let run = moved === undefined ? 1 : 16 / bytesOf(buffer.dtype);
  while (run > 1 && !others.every((size) => size.terms.every(({ coefficient }) => coefficient % run === 0))) run /= 2;
  return { along, run: Math.max(1, run), source: buffer };
}

/** A side of a tile: how many steps, and stages of them, lie in shared memory, and which loads each thread does by itself. */
export interface StagedTile extends Pick<BlockTile, 'depth' | 'stages'> {
  readonly isTensor: boolean;
  /** Steps side by side are loaded together, where lines are what lies side by side. */
  readonly isInTurn?: boolean;
  /** Whether four warps multiply together; a line then has as many bytes as all steps of a stage. */
  readonly isGroup?: boolean;
}

/** Of all stages of a side in shared memory: how many there are, of how many lines or steps, and elements from one of these to the next. */
export function shapeOfSide(
  { order: { along } }: SideRead,
  dtype: DType,
  lines: number,
  tile: StagedTile,
): readonly [number, number, number] {
  const { depth, stages, isTensor, isInTurn = false } = tile;
  const [outer, inner] = along === 'depth' ? [lines, depth] : [depth, lines];
  const byWords = isTensor && along === 'lines' && dtype === 'f32' && !isInTurn;
  return [stages, outer, inner + (byWords ? linePaddingOfWords : linePadding) / bytesOf(dtype)];
}

/** Bytes of a side that one copy brings as they lie in memory; 0: its elements come through registers. */
export const bytesOfCopies = ({ order: { source, run } }: SideRead, dtype: DType): number =>
  source?.dtype === dtype && run * bytesOf(dtype) >= 4 ? run * bytesOf(dtype) : 0;

type Lies = Pick<Staged, 'buffer' | 'at'>;

function paddedSide(read: SideRead, dtype: DType, lines: number, tile: StagedTile, scope: Scope): Lies {
  const shape = shapeOfSide(read, dtype, lines, tile).map((size) => Dim.of(size));
  const buffer = build.buffer(scope.names.fresh(read.which), dtype, shape, { kind: 'shared' });
  const { along } = read.order;
  return { buffer, at: (stage, step, line) => (along === 'depth' ? [stage, line, step] : [stage, step, line]) };
}

/** As four warps multiply it: lines that are not along the depth in parts of as many as fit in 128 bytes. */
function swizzledSide(read: SideRead, dtype: DType, lines: number, { depth, stages }: StagedTile, scope: Scope): Lies {
  const part = swizzledBytes / bytesOf(dtype);
  const { along } = read.order;
  const shape = (along === 'depth' ? [stages, lines, depth] : [stages, lines / part, depth, part]).map((size) => Dim.of(size));
  const buffer = build.buffer(scope.names.fresh(read.which), dtype, shape, { kind: 'shared', swizzled: true });
  return {
    buffer,
    at: (stage, step, line) =>
      along === 'depth' ? [stage, line, step] : [stage, build.over(line, build.int(part)), step, build.modulo(line, build.int(part))],
  };
}

/** `dtype`: of the elements in shared memory. */
export function stageSide(read: SideRead, dtype: DType, lines: number, tile: StagedTile, scope: Scope): Staged {
  const { along, run } = read.order;
  const [outer, inner] = along === 'depth' ? [lines, tile.depth] : [tile.depth, lines];
  const { buffer, at } =
    tile.isGroup === true ? swizzledSide(read, dtype, lines, tile, scope) : paddedSide(read, dtype, lines, tile, scope);
  scope.emit({ kind: 'share', buffer });
  const copies = bytesOfCopies(read, dtype) > 0;
  const count = (outer * inner) / run;
  const all: Accumulator = { name: scope.names.fresh('next'), dtype, shape: [run, count] };
  if (!copies) scope.emit({ kind: 'declare', accumulator: all, initial: identity('sum', dtype) });
  /** Runs `fill` for every run of elements: where it is in the stage. */
  const runs = (where: Scope, fill: (vector: Scope, e: Expr, step: Expr, line: Expr) => void): void =>
    where.loop(
      'e',
      build.int(count),
      'vector',
      (e, vector) => {
        const each = build.int(inner / run);
        const far = vector.let('far', build.over(e, each));
        const near = vector.let('near', build.times(build.modulo(e, each), build.int(run)));
        if (along === 'depth') fill(vector, e, near, far);
        else fill(vector, e, far, near);
      },
      { limit: count },
    );
  const begin = (where: Scope, stage: Stage): void =>
    runs(where, (vector, e, ownStep, ownLine) => {
      const step = vector.let('step', build.plus(stage.step, ownStep));
      const line = vector.let('line', build.plus(stage.line, ownLine));
      const below = (index: Expr, size: Expr): Expr => build.apply('lt', 'bool', index, size);
      const when = build.apply('and', 'bool', below(step, stage.limit), below(line, build.size(read.lines)));
      const nextOf = (j: Expr): { step: Expr; line: Expr } =>
        along === 'depth' ? { step: build.plus(step, j), line } : { step, line: build.plus(line, j) };
      if (copies) {
        const element = read.element(stage.batch, line, step, vector);
        if (element.kind === 'load')
          vector.emit({
            kind: 'copy',
            to: buffer,
            at: at(stage.number, ownStep, ownLine),
            from: element.buffer,
            index: element.index,
            count: run,
            when,
          });
        return;
      }
      const put = (body: Scope, value: (one: Scope, j: Expr) => Expr): void =>
        body.loop('j', build.int(run), 'unroll', (j, one) =>
          one.emit({ kind: 'assign', accumulator: all, index: [j, e], value: value(one, j) }),
        );
      vector.each(
        when,
        (inside) =>
          put(inside, (one, j) => {
            const { step: atStep, line: atLine } = nextOf(j);
            return widthAs(dtype, read.element(stage.batch, atLine, atStep, one));
          }),
        (beyond) => put(beyond, () => build.constant(dtype, 0)),
      );
    });
  const finish = (where: Scope, stage: Expr): void =>
    runs(where, (vector, e, step, line) =>
      vector.loop('j', build.int(run), 'unroll', (j, one) => {
        const index = along === 'depth' ? at(stage, build.plus(step, j), line) : at(stage, step, build.plus(line, j));
        one.emit({ kind: 'store', buffer, index, value: build.read(all, [j, e]) });
      }),
    );
  return { buffer, along, at, begin, copies, finish: copies ? () => undefined : finish };
}
