// How the sides of a matrix product come to shared memory. In: a product, its storage, a tile. Out: for each side how its lines lie there,
// and the statements that copy a stage of it. Holds: what lies beyond the product is 0 there; a copy moves as many elements as follow each
// other in memory on addresses that are multiples of the access.

import { bytesOf, Dim, elementCount, type Shape } from '../../../../base/index.js';
import type { TensorNode } from '../../../../graph/index.js';
import { type Buffer, build, type Expr, LinearForms } from '../../../../kernel/index.js';
import { linePadding, stages } from '../../../../target/index.js';
import { combinedAs, innerAt, type MatmulForm, rightIndex, tensorOf, widthAs } from '../../../form/forms.js';
import { splitIndex } from '../../../form/index-expressions.js';
import { Names, Scope } from '../../../form/scope.js';
import { Values } from '../../../form/values.js';
import type { EmitContext } from '../../cpu/emitter.js';

/** One side: `line` runs over rows of the left one, columns of the right one. */
export interface Side {
  readonly which: 'left' | 'right';
  /** Lines of the whole side, and of a tile. */
  readonly lines: Dim;
  readonly tileLines: number;
}

/** Places of a side in shared memory. */
export interface Staged {
  readonly buffer: Buffer;
  at(stage: Expr, step: Expr, line: Expr): readonly Expr[];
  /** Copies the steps from `start` on of the lines from `first` on. */
  copy(scope: Scope, stage: Expr, batch: readonly Expr[], start: Expr, first: Expr): void;
  /** Whether copies have to be waited for. */
  readonly isAsync: boolean;
}

/** What runs over the rows of a product: axes before the last one, which the right side does not have, and the last one. */
export const rowAxes = ({ batch, shared, rows }: MatmulForm): Shape => [...batch.slice(shared), rows];

/** An element of a side; the index of the lines is split into axes in `scope`. */
function elementAt(form: MatmulForm, values: Values, { which }: Side, batch: readonly Expr[], line: Expr, step: Expr, scope: Scope): Expr {
  const read = (node: TensorNode, index: readonly Expr[]): Expr => values.at(node, index, scope);
  const inner = innerAt(form, step).map((one) => scope.let('k', one));
  if (which === 'right') return read(tensorOf(form.node.args[1] as TensorNode), rightIndex(form, batch, inner, line));
  return form.left([...batch, ...splitIndex(rowAxes(form), line, scope), ...inner], read);
}

/** Which way neighbouring elements lie in memory, how many of them a copy may move, and whether copies can move them at all. */
interface MemoryOrder {
  readonly along: 'depth' | 'lines';
  readonly run: number;
  readonly isPlain: boolean;
}

function memoryOrder(form: MatmulForm, values: Values, side: Side): MemoryOrder {
  const scope = Scope.root(new Names());
  const batch = form.batch.slice(0, form.shared).map((_, axis) => build.index(`b${axis}`));
  const [line, step] = [build.index('line'), build.index('step')];
  const element = elementAt(form, values, side, batch, line, step, scope);
  if (element.kind !== 'load') return { along: side.which === 'left' ? 'depth' : 'lines', run: 1, isPlain: false };
  const { buffer, index } = element;
  const lets = new Map(scope.statements.flatMap((stmt) => (stmt.kind === 'let' ? [[stmt.name, stmt.value] as const] : [])));
  const forms = new LinearForms(lets, { joins: false });
  const { terms, constant } = forms.offset(index, buffer, index);
  // The last axis of what an index stands for is its remainder, or itself where there is only one.
  const moves = (name: string) =>
    terms.find(({ atom, coefficient }) => {
      const last = atom.kind === 'apply' && atom.fn === 'rem' ? atom.args[0] : atom;
      return last?.kind === 'index' && last.name === name && coefficient.constant === 1;
    });
  const byStep = moves('step');
  const along = byStep === undefined ? 'lines' : 'depth';
  const unit = byStep ?? moves('line');
  const run = 16 / bytesOf(buffer.dtype);
  const axis = along === 'depth' ? form.inner.findLast((size) => size.constant !== 1) : side.which === 'left' ? form.rows : side.lines;
  const isWhole = (size: Dim | undefined): boolean => (size?.constant ?? 1) % run === 0;
  const isPlain = combinedAs(form.node.type.dtype) === buffer.dtype && bytesOf(buffer.dtype) >= 4;
  const fits = isPlain && unit !== undefined && isWhole(axis ?? Dim.one) && isWhole(constant);
  return { along, run: fits && terms.every((one) => one === unit || isWhole(one.coefficient)) ? run : 1, isPlain };
}

export function stageSide(form: MatmulForm, side: Side, depth: number, context: EmitContext, names: Names): Staged {
  const { forms, storage } = context;
  const values = new Values({ stored: (node) => storage.stored(node), form: (node) => forms.of(node) });
  const { along, run, isPlain } = memoryOrder(form, values, side);
  const dtype = combinedAs(form.node.type.dtype);
  const { lines, tileLines } = side;
  const [outer, inner] = along === 'depth' ? [tileLines, depth] : [depth, tileLines];
  const shape = [stages, outer, inner + linePadding].map((size) => Dim.of(size));
  const buffer = build.buffer(names.fresh(side.which), dtype, shape, { kind: 'shared' });
  const place = (stage: Expr, step: Expr, line: Expr): readonly Expr[] => (along === 'depth' ? [stage, line, step] : [stage, step, line]);
  const allSteps = build.size(form.depth);
  return {
    buffer,
    isAsync: isPlain,
    at: place,
    copy: (scope, stage, batch, start, first) => {
      const count = (outer * inner) / run;
      scope.loop(
        'e',
        build.int(count),
        'vector',
        (e, vector) => {
          const each = build.int(inner / run);
          const far = vector.let('far', build.over(e, each));
          const near = vector.let('near', build.times(build.modulo(e, each), build.int(run)));
          const [ownStep, ownLine] = along === 'depth' ? [near, far] : [far, near];
          const step = vector.let('step', build.plus(start, ownStep));
          const line = vector.let('line', build.plus(first, ownLine));
          const exists = build.apply(
            'and',
            'bool',
            build.apply('lt', 'bool', step, allSteps),
            build.apply('lt', 'bool', line, build.size(lines)),
          );
          const at = place(stage, ownStep, ownLine);
          if (isPlain) {
            const element = elementAt(form, values, side, batch, line, step, vector);
            if (element.kind === 'load')
              vector.emit({ kind: 'copy', to: buffer, at, from: element.buffer, index: element.index, count: run, when: exists });
            return;
          }
          const otherwise = [{ kind: 'store', buffer, index: at, value: build.constant(dtype, 0) } as const];
          vector.each(
            exists,
            (inside) => {
              const element = widthAs(dtype, elementAt(form, values, side, batch, line, step, inside));
              inside.emit({ kind: 'store', buffer, index: at, value: element });
            },
            otherwise,
          );
        },
        { limit: count },
      );
    },
  };
}

/** Matrices that a product has side by side: all that both sides have. */
export const matricesOf = ({ batch, shared }: MatmulForm): Dim => elementCount(batch.slice(0, shared));
