// Transposes of contractions. In: a contraction and a cotangent. Out: cotangents of its sides, contractions themselves wherever the map can
// be turned around (see the note at the end).
// Holds: what is no contraction is a matrix product over all that the view reads, and the view's own transpose.

import { Dim, elementCount, isWide } from '../base/index.js';
import type { GraphBuilder, Node, TensorNode } from '../graph/index.js';
import { applyTensor, tensorOf } from './apply.js';
import { contraction, type ContractAttrs } from './contract.js';
import { matmul } from './matmul.js';
import { dimAt } from './problem.js';
import { reshape } from './reshape.js';
import { swapLast, transpose } from './transpose.js';
import { addBack } from './view.js';
import { solveRows, type ViewRow } from './view-transpose.js';

const rowsOf = ({ coefficients, offsets, divisors }: ContractAttrs): ViewRow[] =>
  coefficients.map((row, axis) => ({ coefficients: row, offset: dimAt(offsets, axis), divisor: divisors[axis] as number }));

/** Sums over rows of what the left side's view reads, times the cotangent. */
export function rightTranspose(build: GraphBuilder, node: Node<ContractAttrs>, cotangent: TensorNode): TensorNode {
  const { attrs } = node;
  const { batch, rows, shape } = attrs;
  const axes = [...shape.keys()];
  const order = [...axes.slice(0, batch), ...axes.slice(batch + rows), ...axes.slice(batch, batch + rows)];
  return contraction(build, tensorOf(node.args[0] as Node), cotangent, {
    ...attrs,
    shape: order.map((axis) => dimAt(shape, axis)),
    coefficients: attrs.coefficients.map((row) => order.map((axis) => row[axis] as Dim)),
    rows: shape.length - batch - rows,
  });
}

export function leftTranspose(build: GraphBuilder, node: Node<ContractAttrs>, cotangent: TensorNode): TensorNode {
  return turnedAround(build, node, cotangent) ?? throughView(build, node, cotangent);
}

/** All that the view reads gets its cotangent, and the view adds it up. */
function throughView(build: GraphBuilder, { args, attrs }: Node<ContractAttrs>, cotangent: TensorNode): TensorNode {
  const [left, right] = args.map(tensorOf) as [TensorNode, TensorNode];
  const { batch, rows, shape } = attrs;
  const columns = right.type.shape.at(-1) as Dim;
  const lead = shape.slice(0, batch);
  const [count, depth] = [elementCount(shape.slice(batch, batch + rows)), elementCount(shape.slice(batch + rows))];
  const flat = (one: TensorNode, rest: readonly Dim[]): TensorNode => applyTensor(build, reshape, [one], { shape: [...lead, ...rest] });
  const product = applyTensor(build, matmul, [flat(cotangent, [count, columns]), swapLast(build, flat(right, [depth, columns]))], {});
  return addBack(build, applyTensor(build, reshape, [product], { shape }), left.type, attrs);
}

/** A contraction of the cotangent, read where the view is solved, with the right side; undefined where that is none. */
function turnedAround(build: GraphBuilder, { args, attrs }: Node<ContractAttrs>, cotangent: TensorNode): TensorNode | undefined {
  const [left, right] = args.map(tensorOf) as [TensorNode, TensorNode];
  const { batch, rows, shape } = attrs;
  const solved = solveRows(rowsOf(attrs), shape);
  if (solved === undefined || solved.constraints.length > 0) return undefined;
  const { free, rows: solutions } = solved;
  // Variables: the axes of the left side, the free axes of the view, and the columns.
  const rank = left.type.shape.length;
  const sizes = [...left.type.shape, ...free.map((axis) => dimAt(shape, axis)), right.type.shape.at(-1) as Dim];
  const column = sizes.length - 1;
  const onRight: number[] = [];
  for (const axis of shape.keys()) {
    if (axis >= batch && axis < batch + rows) continue;
    const variable = plainVariable(solutions[axis] as ViewRow);
    if (variable === undefined || onRight.includes(variable) || !dimAt(sizes, variable).equals(dimAt(shape, axis))) return undefined;
    onRight.push(variable);
  }
  onRight.push(column);
  const reads = [...shape.keys()].slice(0, batch + rows).map((axis) => solutions[axis] as ViewRow);
  const onLeft = new Set([
    column,
    ...reads.flatMap(({ coefficients }) => coefficients.flatMap((one, variable) => (one.constant === 0 ? [] : [variable]))),
  ]);
  const isOnBoth = (variable: number): boolean => onLeft.has(variable) && onRight.includes(variable);
  const ofLeft = [...left.type.shape.keys()];
  const batches = ofLeft.filter(isOnBoth);
  const rowsHere = ofLeft.filter((variable) => onLeft.has(variable) && !onRight.includes(variable));
  const columnsHere = ofLeft.filter((variable) => !onLeft.has(variable));
  const inner = [...sizes.keys()].slice(rank);
  const [columnHere] = columnsHere;
  if (rowsHere.length === 0 || columnHere === undefined || columnsHere.length > 1 || !inner.every(isOnBoth)) return undefined;
  const order = [...batches, ...rowsHere, ...inner];
  const at = (row: readonly Dim[], variable: number): Dim => row[variable] ?? Dim.zero;
  const itself = sizes.map((_, variable) => Dim.of(variable === column ? 1 : 0));
  const wanted = [...batches, ...inner, columnHere];
  const product = contraction(
    build,
    cotangent,
    applyTensor(build, transpose, [right], { axes: wanted.map((variable) => onRight.indexOf(variable)) }),
    {
      shape: order.map((variable) => dimAt(sizes, variable)),
      coefficients: [...reads.map(({ coefficients }) => coefficients), itself].map((row) => order.map((variable) => at(row, variable))),
      offsets: [...reads.map(({ offset }) => offset), Dim.zero],
      divisors: [...reads.map(({ divisor }) => divisor), 1],
      outside: isWide(left.type.dtype) ? 0n : 0,
      batch: batches.length,
      rows: rowsHere.length,
    },
  );
  const made = [...batches, ...rowsHere, columnHere];
  const axes = ofLeft.map((variable) => made.indexOf(variable));
  return axes.every((axis, to) => axis === to) ? product : applyTensor(build, transpose, [product], { axes });
}

/** The variable that a row is, if it is one alone. */
function plainVariable({ coefficients, offset, divisor }: ViewRow): number | undefined {
  const found = coefficients.flatMap((one, variable) => (one.constant === 0 ? [] : [variable]));
  const [variable] = found;
  const isPlain = found.length === 1 && variable !== undefined && coefficients[variable]?.constant === 1;
  return isPlain && divisor === 1 && offset.constant === 0 ? variable : undefined;
}

/* Note: a convolution's derivatives.
   y[b, t, o] = Σ_{k, c} x[b, t + k, c] · w[k, c, o] with cotangents g[b, t, o]:

     ∂x[b, a, c] = Σ_{k, o} g[b, a − k, o] · w[k, c, o]       t = a − k, outside of g nothing
     ∂w[k, c, o] = Σ_{b, t} x[b, t + k, c] · g[b, t, o]

   The second reads the same view with rows and inner axes exchanged. For the first, t and c are solved for (view-transpose.ts); k stays
   free. The axes of x that only g's index has, b and a, are rows; the one that only w's index has, c, is the column; k and o, which both
   have, are summed. With a stride of 2, t = (a − k) / 2, and what is no multiple is outside. */
