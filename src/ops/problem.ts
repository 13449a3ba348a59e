// What type rules have in common. In: argument types. Out: tensors, or the problem in words. Holds: nothing here throws.

import type { DiagnosticCode, Dim, Shape } from '../base/index.js';
import type { TensorType, Type } from '../graph/index.js';
import type { TypeProblem } from './define.js';

export const problem = (code: DiagnosticCode, message: string, operands?: readonly number[], hint?: string): TypeProblem => ({
  kind: 'problem',
  code,
  message,
  ...(operands === undefined ? {} : { operands }),
  ...(hint === undefined ? {} : { hint }),
});

export const isProblem = (value: { readonly kind: string } | readonly unknown[]): value is TypeProblem =>
  'kind' in value && value.kind === 'problem';

/** The arguments as tensors when there are exactly `count` (undefined: any number, at least one). */
export function tensors(name: string, args: readonly Type[], count?: number): readonly TensorType[] | TypeProblem {
  if (count === undefined ? args.length === 0 : args.length !== count) {
    return problem(
      'type-mismatch',
      `${name} takes ${count === undefined ? 'at least one tensor' : count === 1 ? 'one tensor' : `${count} tensors`}, not ${args.length}`,
    );
  }
  const found: TensorType[] = [];
  for (const [at, arg] of args.entries()) {
    if (arg.kind !== 'tensor') return problem('type-mismatch', `argument ${at + 1} of ${name} is a tuple, not a tensor`, [at]);
    found.push(arg);
  }
  return found;
}

/** The only argument as a tensor. */
export function oneTensor(name: string, args: readonly Type[]): TensorType | TypeProblem {
  const found = tensors(name, args, 1);
  return isProblem(found) ? found : (found[0] as TensorType);
}

/** `f32 and i32`, `f32, i32 and bool`. */
export const listed = (items: readonly string[]): string =>
  items.length < 2 ? items.join('') : `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`;

/** Refuses an axis that is out of range, repeated or not increasing. */
export function axesProblem(name: string, axes: readonly number[], rank: number, operand = 0): TypeProblem | undefined {
  for (const [at, axis] of axes.entries()) {
    if (!Number.isInteger(axis) || axis < 0 || axis >= rank) {
      return problem('invalid-value', `${name}: there is no axis ${axis} in a tensor of rank ${rank}`, [operand]);
    }
    if (at > 0 && axis <= (axes[at - 1] as number))
      return problem('invalid-value', `${name}: the axes ${listed(axes.map(String))} are not in increasing order`, [operand]);
  }
  return undefined;
}

/** Axes of a tensor where those of `prefix` stand in front: these first, in their order. */
export const axesBehind = (prefix: Shape, axes: readonly number[]): readonly number[] => [
  ...prefix.keys(),
  ...axes.map((axis) => axis + prefix.length),
];

export const dimAt = (shape: Shape, axis: number): Dim => shape[axis] as Dim;
export const without = (shape: Shape, axes: readonly number[]): Shape => shape.filter((_, axis) => !axes.includes(axis));
