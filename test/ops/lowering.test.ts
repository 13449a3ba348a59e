// What each op lowers to gives what it evaluates to: elements and nests as kernels in the checking interpreter, and expansions in exact
// machine arithmetic.

import { describe, expect, it } from 'vitest';
import { Dim, type DType } from '../../src/base/index.js';
import { evaluateNodes, runProgram } from '../../src/eval/index.js';
import { type Node, type TensorType } from '../../src/graph/index.js';
import {
  build as loopIr,
  type Buffer,
  type Expr,
  expressionOrder,
  expressionsOf,
  type Kernel,
  ownCode,
  type Program,
  type Stmt,
} from '../../src/kernel/index.js';
import { expandScalars as expandFor } from '../../src/lower/index.js';
import {
  element,
  evaluateScalar,
  expansions,
  isNodeOf,
  item,
  libmExpansions,
  type ScalarName,
  scalarNames,
  scalarTable,
  type TensorValue,
} from '../../src/ops/index.js';
import { compile } from './machine.js';
import { built, type Case, cases, numbers } from './samples.js';

const expandScalars = (program: Program): Program => expandFor(program, { libm: true });

/** A program of one kernel over the arguments of a sample, and each of its results. */
function programOf(one: Case): { program: Program; expected: readonly TensorValue[]; feeds: readonly TensorValue[] } {
  const { build, args, node, values } = built(one, 5);
  const made = isNodeOf(node, element) ? (node.args[0] as Node) : node;
  const results = made.type.kind === 'tuple' ? made.type.items.map((_, at) => item(build, made, at)) : [node];
  const feeds = args.map(({ type }, index) => loopIr.buffer(`a${index}`, type.dtype, type.shape, { kind: 'feed', index }));
  const outputs = results.map(({ type }, index) => loopIr.buffer(`out${index}`, type.dtype, type.shape, { kind: 'output', index }));
  const output = outputs[0] as Buffer;
  const temporaries: Buffer[] = [];
  let names = 0;
  const fresh = (stem: string): string => `${stem}${names++}`;
  const { lowering } = one.op;
  const elements = (at: (index: readonly Expr[]) => Expr): readonly Stmt[] => {
    const index = node.type.shape.map(() => fresh('i'));
    const store: Stmt = { kind: 'store', buffer: output, index: index.map(loopIr.index), value: at(index.map(loopIr.index)) };
    return node.type.shape.reduceRight<readonly Stmt[]>(
      (body, size, axis) => [{ kind: 'for', index: index[axis] as string, extent: loopIr.size(size), axis: 'serial', body }],
      [store],
    );
  };
  const body =
    lowering.kind === 'element'
      ? elements((index) => lowering.at(node, index, (which, at) => loopIr.load(feeds[which] as Buffer, at)))
      : lowering.kind === 'nest'
        ? lowering.build(made, {
            args: feeds,
            results: outputs,
            fresh,
            temporary(dtype: DType, shape: TensorType['shape']) {
              const made = loopIr.buffer(fresh('t'), dtype, shape, { kind: 'temporary' });
              temporaries.push(made);
              return made;
            },
          })
        : [];
  const kernel: Kernel = {
    name: 'k',
    title: one.text,
    origins: [],
    cost: { bytesRead: Dim.zero, bytesWritten: Dim.zero, flops: Dim.zero },
    ...ownCode(body),
  };
  const program: Program = {
    entry: 'e',
    dims: [],
    buffers: [...feeds, ...outputs, ...temporaries],
    kernels: [kernel],
    arena: { slots: [], slotOf: new Map() },
  };
  return { program, expected: evaluateNodes(results, { args: [...values] }), feeds: values };
}

const lowered = cases.filter(({ op }) => op.lowering.kind === 'element' || op.lowering.kind === 'nest');

describe('lowering', () => {
  it.each(lowered.map((one) => [one.text, one] as const))('%s gives what it means', (_, one) => {
    const { program, expected, feeds } = programOf(one);
    for (const variant of [program, expandScalars(program)]) {
      const { outputs } = runProgram(variant, { feeds });
      for (const [which, result] of expected.entries()) {
        const got = outputs[which];
        if (result.data.length === 0) continue;
        expect(got?.shape).toEqual(result.shape);
        [...result.data].forEach((value, at) => {
          const found = got?.data[at];
          if (typeof value === 'bigint' || !Number.isFinite(value)) expect(found).toBe(value);
          else
            expect(Math.abs(Number(found) - value)).toBeLessThanOrEqual(
              1e-13 * Math.max(1, Math.abs(value)) * (result.dtype === 'f32' ? 1e7 : 1),
            );
        });
      }
    }
  });
});

const integerRows = scalarNames.filter((name) => 'integer' in scalarTable[name] && scalarTable[name].integer !== undefined);

describe('integer expansions', () => {
  it.each(integerRows.flatMap((name) => (['i32', 'i64', 'u8'] as const).map((dtype) => [name, dtype] as const)))(
    '%s of %s is exact',
    (name: ScalarName, dtype) => {
      const row = scalarTable[name];
      const params = ['x', 'y', 'z'].slice(0, row.arity);
      const dtypeOf = (at: number): DType => (name === 'select' && at === 0 ? 'bool' : dtype);
      const run = compile(expansions[name](dtype, ...params.map((param, at) => loopIr.name(param, dtypeOf(at)))), params);
      const next = numbers(17);
      const edges = {
        i32: [0, 1, -1, 2, -2147483648, 2147483647, 31, 7],
        i64: [0n, 1n, -1n, 3n, -(2n ** 63n), 2n ** 63n - 1n, 62n],
        u8: [0, 1, 2, 255, 128, 7],
      }[dtype];
      const pick = (): number | bigint => edges[Math.floor(next() * edges.length)] as number | bigint;
      for (let count = 0; count < 400; count++) {
        const args = params.map((_, at) => (dtypeOf(at) === 'bool' ? count % 2 : pick()));
        expect(run(...args), `${name}(${args.join(', ')})`).toBe(evaluateScalar(row, dtype, args));
      }
    },
  );
});

describe('half-width floats', () => {
  it('are computed in f32 and rounded once', () => {
    const buffer = loopIr.buffer('a', 'f16', [], { kind: 'feed', index: 0 });
    const output = loopIr.buffer('b', 'f16', [], { kind: 'output', index: 0 });
    const kernel: Kernel = {
      name: 'k',
      title: '',
      origins: [],
      cost: { bytesRead: Dim.zero, bytesWritten: Dim.zero, flops: Dim.zero },
      ...ownCode([{ kind: 'store', buffer: output, index: [], value: loopIr.apply('exp', 'f16', loopIr.load(buffer, [])) }]),
    };
    const expanded = expandScalars({
      entry: 'e',
      dims: [],
      buffers: [buffer, output],
      kernels: [kernel],
      arena: { slots: [], slotOf: new Map() },
    });
    const [store] = expanded.kernels[0]?.code.body ?? [];
    expect(store?.kind === 'store' && store.value.kind === 'apply' && [store.value.fn, store.value.dtype]).toEqual(['convert', 'f16']);
  });
});

describe('expanding', () => {
  const counted = (program: Program): number => {
    const seen = new Set<Expr>();
    const visit = (expr: Expr): void => {
      if (seen.has(expr)) return;
      seen.add(expr);
      if (expr.kind === 'apply') expr.args.forEach(visit);
    };
    for (const stmt of program.kernels[0]?.code.body ?? []) if (stmt.kind === 'store') visit(stmt.value);
    return seen.size;
  };
  const one = (value: Expr): Program => ({
    entry: 'e',
    dims: [],
    buffers: [],
    arena: { slots: [], slotOf: new Map() },
    kernels: [
      {
        name: 'k',
        title: '',
        origins: [],
        cost: { bytesRead: Dim.zero, bytesWritten: Dim.zero, flops: Dim.zero },
        ...ownCode([{ kind: 'store', buffer: loopIr.buffer('b', 'f32', [], { kind: 'output', index: 0 }), index: [], value }]),
      },
    ],
  });

  it('keeps what is shared shared', () => {
    const x = loopIr.name('x', 'f32');
    const exp = loopIr.apply('exp', 'f32', x);
    const single = counted(expandScalars(one(exp)));
    expect(counted(expandScalars(one(loopIr.apply('mul', 'f32', exp, exp))))).toBe(single + 1);
  });

  it('changes nothing the second time', () => {
    const x = loopIr.name('x', 'f32');
    const program = expandScalars(one(loopIr.apply('maximum', 'f32', loopIr.apply('tanh', 'f32', x), x)));
    const again = expandScalars(program);
    expect(again.kernels[0]?.code.body).toEqual(program.kernels[0]?.code.body);
  });

  it('leaves no call of libm where the target has none', () => {
    const libm = (program: Program): string[] => {
      const exprs = expressionOrder((program.kernels[0]?.code.body ?? []).flatMap(expressionsOf));
      return exprs.flatMap((expr) => (expr.kind === 'apply' && expr.fn.startsWith('libm_') ? [expr.fn] : []));
    };
    const called = new Set<string>();
    for (const name of scalarNames) {
      const { kernel, arity, takes } = scalarTable[name];
      if (takes === 'bool' || takes === 'any') continue;
      for (const dtype of ['f64', 'f32', 'f16', 'bf16'] as const) {
        const program = one(loopIr.apply(kernel, dtype, ...['x', 'y'].slice(0, arity).map((param) => loopIr.name(param, dtype))));
        expect(libm(expandFor(program, { libm: false })), `${name} of ${dtype}`).toEqual([]);
        for (const fn of libm(expandScalars(program))) called.add(fn);
      }
    }
    expect([...called].sort()).toEqual(Object.keys(libmExpansions).sort());
  });
});
