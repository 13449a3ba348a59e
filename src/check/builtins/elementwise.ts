// Elementwise functions by their names: exp, log, tanh, pow, where, … In: tensors or numbers. Out: a number when all are known, else a node
// with its broadcasts.
// Holds: the scalar table says which of its functions programs call, and by what name.

import { type DType, Fraction, isFloat } from '../../base/index.js';
import * as ops from '../../ops/index.js';
import type { ScalarName } from '../../ops/index.js';
import { applyTensor } from '../apply-op.js';
import { broadcastTogether } from '../broadcast.js';
import { inAnyDType } from '../expressions/binary.js';
import { selectTensors } from '../expressions/conditional.js';
import { excerpt, fail } from '../report.js';
import { agree, bindingLabel, shapeOf, toTensor } from '../tensors.js';
import { asFloat } from '../types.js';
import { describe, ERROR, exactNumber, exactOf, integerOf, number, type NumberValue, type Value } from '../values.js';
import { required, result, type Builtin, type BuiltinCall, type Given } from './builtin.js';

/** The function of known numbers: exactly, where it stays rational, else in doubles. Undefined when one is not known or has a dtype. */
function fold(call: BuiltinCall, scalar: ScalarName, givens: readonly Given[]): Value | undefined {
  const row = ops.scalarTable[scalar];
  const values: NumberValue[] = [];
  for (const { value } of givens) {
    if (value.kind !== 'number' || value.dtype !== undefined) return undefined;
    values.push(value);
  }
  if (row.result === 'bool') return undefined;
  const integral = values.every(({ integer }) => integer) && row.takes !== 'float';
  if (scalar === 'floorDiv' && values[1]?.value === 0 && integral)
    return fail(call.context, 'invalid-value', call.site, 'an integer is divided by 0');
  // Powers of literals are those of the operator, which no width wraps.
  if (integral && scalar !== 'pow' && row.integer !== undefined) {
    const integer: (...args: bigint[]) => bigint = row.integer;
    const exact = Fraction.of(integer(...values.map(integerOf)));
    if (exact !== undefined) return exactNumber(exact, true);
  }
  const evaluate: (...args: number[]) => number = row.evaluate;
  const folded = evaluate(...values.map(({ value }) => value));
  const exacts = values.flatMap((value) => exactOf(value) ?? []);
  call.context.checker.growth.spend((exacts.reduce((sum, one) => sum + one.bits, 0) ** 2) >> 13);
  const exactly: ((...args: Fraction[]) => Fraction | undefined) | undefined = row.exact;
  const exact = exacts.length === values.length ? exactly?.(...exacts) : undefined;
  return exact === undefined
    ? number(folded, integral && Number.isInteger(folded))
    : exactNumber(exact, integral && exact.isInteger, undefined, folded);
}

/** An elementwise op of one or two arguments, broadcast together; used by `max` and `min` as well. */
export function applyElementwise(call: BuiltinCall, scalar: ScalarName, names: readonly string[]): Value {
  const { context, site } = call;
  // Functions of floats make floats of bare integers, and numbers of sizes: `exp(1)`, `sqrt(6 / (In + Out))`.
  const floating = ops.scalarTable[scalar].takes === 'float';
  const wanted = floating ? asFloat(call.expected) : call.expected;
  const givens = names.map((name) => call.alike(name, names, wanted));
  if (givens.some((given) => given.value.kind === 'error')) return ERROR;
  const folded = fold(call, scalar, givens);
  const isNamed = givens.some(({ value }) => value.kind === 'number' && value.node !== undefined);
  if (folded !== undefined && (!isNamed || folded.kind !== 'number')) return folded;
  const what = `\`${excerpt(context, site, call.builtin.name)}\``;
  for (const given of givens) {
    if (shapeOf(given.value) === undefined || given.value.kind === 'list') {
      const hint = given.value.kind === 'list' ? 'use a comprehension: `[f(x) for x in xs]`' : undefined;
      return fail(context, 'type-mismatch', given.span, `\`${call.builtin.name}\` takes tensors, and this is ${describe(given.value)}`, {
        hint,
      });
    }
  }
  const compute = (dtype: DType | undefined): Value => {
    const nodes = agree(context, givens, dtype ?? (floating ? 'f32' : undefined), site, what);
    if (nodes === undefined) return ERROR;
    const wrong = floating ? nodes.findIndex((node) => !isFloat(node.type.dtype)) : -1;
    if (wrong >= 0) {
      const given = givens[wrong] as Given;
      return fail(context, 'dtype-mismatch', given.span, `\`${call.builtin.name}\` takes floats, and this is ${describe(given.value)}`, {
        labels: bindingLabel(given.value),
        hint: 'convert it: `f32(…)`',
      });
    }
    const operands = nodes.map((node, at) => ({ node, value: givens[at]?.value ?? ERROR, span: givens[at]?.span ?? site }));
    const wide = broadcastTogether(context, operands, site, what);
    return wide === undefined ? ERROR : result(applyTensor(context, ops.elementwise[scalar], wide, {}, site));
  };
  if (!isNamed || folded === undefined) return inAnyDType(compute, call.expected, ...givens.map(({ value }) => value));
  const value = compute('f32');
  // Of named literals: a number for every dtype, and this node where it meets f32.
  return folded?.kind === 'number' && value.kind === 'tensor' && value.node.type.dtype === 'f32'
    ? { ...folded, integer: false, node: value.node }
    : value;
}

const where: Builtin = {
  name: 'where',
  doc: 'Per element: `a` where the mask is true, else `b`. What is not taken adds nothing to a derivative.',
  signatures: ['where<T: any, ...S>(mask: bool[...S], a: T[...S], b: T[...S]): T[...S]'],
  parameters: required('mask', 'a', 'b'),
  run(call) {
    const mask = call.given('mask');
    const a = call.alike('a', ['a', 'b'], call.expected);
    const b = call.alike('b', ['a', 'b'], call.expected);
    if (mask.value.kind === 'error' || a.value.kind === 'error' || b.value.kind === 'error') return ERROR;
    const node = toTensor(call.context, mask.value, mask.span, 'bool');
    return node === undefined
      ? ERROR
      : selectTensors(call.context, { node, ...mask }, a, b, call.site, call.expected, `\`${excerpt(call.context, call.site, 'where')}\``);
  },
};

export const elementwiseBuiltins: readonly Builtin[] = [
  ...ops.scalarNames.flatMap((scalar): readonly Builtin[] => {
    const { arity, builtin: name, doc, takes, result: gives } = ops.scalarTable[scalar];
    if (name === undefined) return [];
    const names = ['x', 'y', 'z'].slice(0, arity);
    const type = takes === 'bool' ? 'bool[...S]' : 'T[...S]';
    const head = `${name}<${takes === 'bool' ? '' : `T: ${takes}, `}...S>(${names.map((one) => `${one}: ${type}`).join(', ')})`;
    return [
      {
        name,
        doc,
        signatures: [`${head}: ${gives === 'bool' ? 'bool[...S]' : type}`],
        parameters: required(...names),
        run: (call) => applyElementwise(call, scalar, names),
      },
    ];
  }),
  where,
];
