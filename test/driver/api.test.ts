// tfc from TypeScript. In: programs. Out: modules with sessions, typed arrays in and out, errors with codes.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { compile, CompileError, compileSync, type ResultRecord, type Tensor, TfcError } from '../../src/driver/index.js';
import { workplace } from './tfc.js';

const place = workplace();
process.env['TFC_CACHE'] = place.cache;
const path = (name: string, text: string): string => join(place.directory, place.file(name, text));

const line = path(
  'line.tdsl',
  `import { sgd } from "std/optim"
dim Width = 2
param w: f32[Width, 1] = uniform(-1, 1)
export fn predict<B>(X: f32[B, Width]): f32[B, 1] = X @ w
export step train<B>(X: f32[B, Width], y: f32[B, 1]): { loss: f32, rows: f32[B] } {
  let rows = reshape(square(X @ w - y), [B])
  let loss = mean(rows)
  minimize loss with sgd(lr: 0.1)
  return { loss, rows }
}
export fn total<...S>(x: f32[...S]): f32[...S] = x * 2
`,
);

describe('compile', () => {
  it('gives sessions whose entries are methods that take and give typed arrays', async () => {
    using model = await compile(line);
    using session = model.session({ seed: 42, threads: 2 });
    const X = Float32Array.of(1, 0, 0, 1, 1, 1);
    const y = Float32Array.of(2, -1, 1);
    let last = Infinity;
    for (let step = 0; step < 50; step++) {
      const { loss, rows } = session['train']!({ X, y }) as ResultRecord & { readonly loss: number; readonly rows: Tensor<'f32'> };
      expect(rows.data).toBeInstanceOf(Float32Array);
      expect(rows.shape).toEqual([3]);
      expect(loss).toBeLessThan(last);
      last = loss;
    }
    expect(last).toBeLessThan(1e-2);
    const predicted = session.run('predict', { X: [[1, 0]] }) as Tensor<'f32'>;
    expect(predicted.data[0]).toBeCloseTo(2, 1);
  });

  it('compiles entries with open ranks when they are called', async () => {
    using model = await compile(line);
    using session = model.session();
    const moved = process.cwd();
    process.chdir('/');
    try {
      expect((session.run('total', { x: [[1, 2]] }) as Tensor).toArray()).toEqual([[2, 4]]);
      expect(session.run('total', { x: 4 })).toBe(8);
    } finally {
      process.chdir(moved);
    }
  });

  it('works blocking, with sizes set, and from the cache', () => {
    for (const _ of [1, 2]) {
      using model = compileSync(line, { set: { Width: 3 } });
      using session = model.session({ seed: 1 });
      expect((session.get('w') as Tensor).shape).toEqual([3, 1]);
      expect(model.path.startsWith(place.cache)).toBe(true);
    }
  });

  it('never loads the compiler into the calling process', async () => {
    using model = await compile(line);
    expect(existsSync(model.path)).toBe(true);
    const { readFileSync } = await import('node:fs');
    expect(readFileSync('/proc/self/maps', 'utf8')).not.toMatch(/libLLVM|llvm\.node/);
  });

  it('throws what is wrong with a program, with places and texts', async () => {
    const broken = path('broken.tdsl', 'export fn f(x: f32): f32 =\n  x + oops\n');
    const error = await compile(broken).then(
      () => expect.unreachable('it does not compile'),
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(CompileError);
    const { diagnostics, message, texts } = error as CompileError;
    expect(diagnostics[0]?.code).toBe('unknown-name');
    expect(message).toContain(`${broken}:2:7: unknown-name: `);
    expect(texts.get(broken)).toContain('oops');
    expect(() => compileSync(broken)).toThrow(CompileError);
    await expect(compile(join(place.directory, 'nowhere.tdsl'))).rejects.toThrow(/^file-not-found: /);
  });

  it('throws what is wrong with a call, with its code', async () => {
    using model = await compile(line);
    using session = model.session();
    const codeOf = (body: () => unknown): string => {
      try {
        body();
      } catch (error) {
        if (error instanceof TfcError) return error.code;
      }
      return 'nothing';
    };
    expect(codeOf(() => session.run('predict', {}))).toBe('missing-feed');
    expect(codeOf(() => session.run('predict', { X: Float64Array.of(1, 2) }))).toBe('dtype-mismatch');
    expect(codeOf(() => session.run('predict', { X: [[1, 2, 3]] }))).toBe('shape-mismatch');
    expect(codeOf(() => session.run('guess', {}))).toBe('unknown-entry');
  });
});
