// The text form of kernel IR: what is printed reads back and prints the same; sharing survives; bad text names its place.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Dim, InternalError } from '../../src/base/index.js';
import {
  build,
  countCalls,
  type Expr,
  parseProgram,
  printExpr,
  printKernel,
  printProgram,
  printStatements,
  type Program,
  type Stmt,
  ownCode,
} from '../../src/kernel/index.js';
import { blocks, chained, groups, mixed, scheduled, softmax, tiles, warps } from './samples.js';

const { apply, buffer, constant, index, int, load, name, size } = build;

describe('printer and parser', () => {
  it.each(Object.entries({ softmax, tiles, mixed, scheduled, blocks, warps, chained, groups }))('reads back the program %s', (_, text) => {
    expect(printProgram(parseProgram(text))).toBe(text);
  });

  it('keeps one object per shared expression', () => {
    const store = innermost(parseProgram(softmax), 'y');
    const value = store.kind === 'store' ? store.value : undefined;
    if (value?.kind !== 'apply' || value.args[0]?.kind !== 'apply' || value.args[1]?.kind !== 'apply') throw new Error('another shape');
    expect(value.args[0].args[0]).toBe(value.args[1].args[0]);
  });

  it('prints a doubling chain of shared sums in linear space', () => {
    let sum: Expr = load(buffer('x', 'f32', [Dim.of(4)], { kind: 'feed', index: 0 }), [int(0)]);
    for (let depth = 0; depth < 200; depth++) sum = apply('add', 'f32', sum, sum);
    expect(printStatements([{ kind: 'let', name: 'sum', value: sum }]).split('\n')).toHaveLength(201);
  });

  it('writes parentheses exactly where they are needed', () => {
    const [a, b, c] = [name('a', 'f32'), name('b', 'f32'), name('c', 'f32')];
    const add = (x: Expr, y: Expr): Expr => apply('add', 'f32', x, y);
    const mul = (x: Expr, y: Expr): Expr => apply('mul', 'f32', x, y);
    expect(printExpr(add(add(a, b), c))).toBe('a + b + c');
    expect(printExpr(add(a, add(b, c)))).toBe('a + (b + c)');
    expect(printExpr(mul(add(a, b), c))).toBe('(a + b) * c');
    expect(printExpr(apply('lt', 'bool', add(a, b), mul(b, c)))).toBe('a + b < b * c');
    expect(printExpr(apply('eq', 'bool', apply('lt', 'bool', a, b), apply('lt', 'bool', b, c)))).toBe('(a < b) == (b < c)');
    expect(printExpr(apply('select', 'f32', apply('isnan', 'bool', a), b, c))).toBe('select(isnan<bool>(a), b, c)');
    expect(printExpr(size(Dim.of('B').mul(3).add(-2)))).toBe('#(3*B - 2)');
  });

  it('leaves origins out when asked', () => {
    const kernel = parseProgram(softmax).kernels[0];
    expect(kernel && printKernel(kernel, { origins: false })).not.toContain('from');
  });

  it('counts calls once per statement that shares them', () => {
    const program = parseProgram(softmax);
    expect(countCalls(program, 'exp')).toBe(2);
    expect(countCalls(program, 'sub')).toBe(3);
    expect(countCalls(program, 'log')).toBe(0);
  });

  it.each([
    ['program p\nkernel k "t"\n reads 0 writes 0 flops 0\n{ y[0] = f32(1) }', 'no buffer named y at line 4'],
    ['program p\nkernel k "t"\n reads 0 writes 0 flops 0\n{ let a = f32(1', ') is needed at line 4, column 16, found the end'],
    ['program p\nkernel k "t"\n reads 0 writes 0 flops 0\n{ let a = convert(i) }', 'convert needs its dtype'],
    ['program p ?', 'no word of the text form at offset 10'],
  ])('says where text is wrong', (text, message) => {
    expect(() => parseProgram(text)).toThrow(InternalError);
    expect(() => parseProgram(text)).toThrow(message);
  });

  it('reads back random expressions', () => {
    const x = buffer('for', 'f32', [Dim.of(3), Dim.of('B')], { kind: 'feed', index: 0 });
    const leaf = fc.oneof(
      fc.double().map((value) => constant('f32', value)),
      fc.integer({ min: -5, max: 5 }).map((at) => load(x, [int(at), index('i')])),
      fc.constant(name('weird name`"\\', 'f32')),
    );
    const { tree } = fc.letrec<{ tree: Expr }>((tie) => ({
      tree: fc.oneof(
        { depthSize: 'small', withCrossShrink: true },
        leaf,
        fc
          .tuple(fc.constantFrom('add', 'sub', 'mul', 'div', 'rem', 'min', 'copysign'), tie('tree'), tie('tree'))
          .map(([fn, a, b]) => apply(fn, 'f32', a, b)),
        fc
          .tuple(fc.constantFrom('lt', 'ne', 'ge'), tie('tree'), tie('tree'))
          .map(([fn, a, b]) => apply('select', 'f32', apply(fn, 'bool', a, b), a, b)),
        tie('tree').map((a) => apply('convert', 'f32', apply('convert', 'i32', a))),
      ),
    }));
    fc.assert(
      fc.property(tree, (value) => {
        const body: Stmt[] = [
          { kind: 'let', name: 'weird name`"\\', value: constant('f32', 1) },
          {
            kind: 'for',
            index: 'i',
            extent: size(Dim.of('B')),
            axis: 'serial',
            body: [{ kind: 'store', buffer: { ...x, name: 'B' }, index: [int(0), index('i')], value }],
          },
        ];
        const zero = Dim.zero;
        const program: Program = {
          entry: 'p',
          dims: ['B', 'i'],
          buffers: [x, { ...x, name: 'B', role: { kind: 'output', index: 0 } }],
          kernels: [
            { name: 'k', title: '"quoted"', ...ownCode(body), cost: { bytesRead: zero, bytesWritten: zero, flops: zero }, origins: [] },
          ],
          arena: { slots: [], slotOf: new Map() },
        };
        const text = printProgram(program);
        expect(printProgram(parseProgram(text))).toBe(text);
      }),
      { numRuns: 300 },
    );
  });
});

/** The statement that stores into the buffer of that name. */
function innermost(program: Program, stored: string): Stmt {
  const search = (body: readonly Stmt[]): Stmt | undefined => {
    for (const stmt of body) {
      if (stmt.kind === 'store' && stmt.buffer.name === stored) return stmt;
      const inner = stmt.kind === 'for' ? search(stmt.body) : undefined;
      if (inner !== undefined) return inner;
    }
    return undefined;
  };
  const found = search(program.kernels.flatMap((kernel) => kernel.code.body));
  if (found === undefined) throw new Error(`nothing stores ${stored}`);
  return found;
}
