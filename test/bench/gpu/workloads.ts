// What is measured on a GPU. In: nothing. Out: workloads that are timed, and small ones of the same programs that the emulated driver runs
// too. Holds: what peers may compute in other precisions is asked of them in f32, but where the workload says another one for all.

import { chains } from '../workloads/functions.js';
import { product } from '../workloads/products.js';
import { perceptron } from '../workloads/training.js';
import type { Precision, Workload } from '../workloads/workload.js';

/** Of an element of a result, relative to the root of their mean square: some times the sum of what the operands lose. */
export const elementTolerance = ({ precision }: Workload): number => (precision === undefined ? 1e-3 : precision === 'tf32' ? 5e-3 : 4e-2);

/** The workload with the operands of its products rounded. */
const rounded = (workload: Workload, precision: Precision): Workload => ({
  ...workload,
  name: `${workload.name}-${precision}`,
  precision,
  tolerance: precision === 'tf32' ? 2e-3 : 2e-2,
});

/**
 * The program with `precision` around all that it computes. Errors: Error where its entry has neither a block nor a product as its body.
 */
export function inPrecision(program: string, precision: Precision): string {
  const body = / = \{ c: (.+) \}\s*$/.exec(program);
  if (body !== null)
    return `${program.slice(0, body.index)} {\n  precision ${precision} {\n    let c = ${body[1] ?? ''}\n  }\n  return { c }\n}\n`;
  const block = /^export step .*\{\n([^]*?)(?=^ {2}return )/m.exec(program);
  const inner = block?.[1];
  if (inner === undefined) throw new Error('the entry has no body that a precision can be put around');
  return program.replace(inner, () => `  precision ${precision} {\n${inner}  }\n`);
}

export const timed: readonly Workload[] = [
  perceptron(50, 'sgd'),
  perceptron(50, 'adam'),
  perceptron(4096, 'sgd'),
  ...chains(32_768),
  ...[1024, 4096, 8192].map((size) => product(size, size, size)),
  product(4096, 4096, 4096, 'product-left'),
  product(4096, 4096, 4096, 'product-right'),
  rounded(perceptron(4096, 'sgd'), 'tf32'),
  ...[4096, 8192].flatMap((size) => [rounded(product(size, size, size), 'tf32'), rounded(product(size, size, size), 'bf16')]),
];

/** Some of their sizes are no multiple of anything. */
export const small: readonly Workload[] = [
  perceptron(7, 'sgd'),
  perceptron(33, 'adam'),
  ...chains(5),
  product(96, 80, 72),
  product(67, 131, 45),
  product(48, 33, 65, 'product-left'),
  product(48, 33, 65, 'product-right'),
  rounded(perceptron(33, 'sgd'), 'tf32'),
  rounded(product(96, 80, 72), 'tf32'),
  rounded(product(67, 131, 45), 'bf16'),
];
