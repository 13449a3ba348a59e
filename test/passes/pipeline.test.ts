// The runner of passes, and strip. In: small pipelines, good and bad. Out: records, dumps, and failures that name the guilty pass.

import { describe, expect, it } from 'vitest';
import { DiagnosticsError, InternalError } from '../../src/base/index.js';
import { type ModuleGraph, printModule, tensor } from '../../src/graph/index.js';
import { type Pass, Pipeline, checkedGraph, countNodes, differentiate, simplify, strip, strippedGraph } from '../../src/passes/index.js';
import { Make } from './make.js';

const pass = (name: string, run: Pass<ModuleGraph, ModuleGraph>['run'], to = checkedGraph): Pass<ModuleGraph, ModuleGraph> => ({
  name,
  doc: `The pass ${name}.`,
  to,
  run,
});

function sample(g: Make): ModuleGraph {
  const x = g.named('x', g.feed('x', ['N']));
  const y = g.named('y', g.total(g.f('square', x)));
  return g.module(
    [y, ...g.grad(y, x)],
    [
      ['y', y],
      ['x', x],
    ],
  );
}

describe('the pipeline', () => {
  it('lists its passes, and times, counts and notes each', () => {
    const g = new Make();
    const pipeline = Pipeline.of(differentiate).then(strip).then(simplify);
    expect(pipeline.passes.map(({ name, form }) => [name, form])).toEqual([
      ['differentiate', 'differentiated graph'],
      ['strip', 'stripped graph'],
      ['simplify', 'stripped graph'],
    ]);
    expect(pipeline.passes.every(({ doc }) => doc.endsWith('.'))).toBe(true);
    let clock = 0;
    const begun: string[] = [];
    const { output, records } = pipeline.run(sample(g), {
      build: g.build,
      now: () => (clock += 5),
      begin: (pass) => begun.push(pass),
    });
    expect(begun).toEqual(records.map(({ name }) => name));
    expect(records.map(({ name, milliseconds }) => [name, milliseconds])).toEqual([
      ['differentiate', 5],
      ['strip', 5],
      ['simplify', 5],
    ]);
    expect(records[0]?.notes[0]).toMatch(/^1 derivatives, \d+ new nodes$/);
    expect(records[2]?.notes[0]).toMatch(/^\d+ rounds: /);
    expect(records[2]?.count).toBe(countNodes(output));
  });

  it('dumps after the passes that are asked for', () => {
    const g = new Make();
    const dumps: [string, string][] = [];
    const { output } = Pipeline.of(differentiate)
      .then(strip)
      .run(sample(g), { build: g.build, dumpAfter: new Set(['strip']), dump: (...dump) => dumps.push(dump) });
    expect(dumps).toEqual([['strip', printModule(output)]]);
  });

  it('blames the pass whose output does not verify', () => {
    const g = new Make();
    const x = g.feed('x', []);
    const bad = pass('spoil', (module) => {
      const wrong = g.build.make({ ...g.f('exp', x).op }, [x], {}, tensor('f64', []));
      return {
        ...module,
        entries: module.entries.map((entry) => ({ ...entry, dims: [], outputs: [{ path: '', node: { ...wrong, type: tensor('f32') } }] })),
      };
    });
    const run = () =>
      Pipeline.of(pass('keep', (module) => module))
        .then(bad)
        .run(g.module([g.f('exp', x)]), { build: g.build });
    expect(run).toThrow(InternalError);
    expect(run).toThrow(/^internal error in spoil: the graph breaks the rule/);
    expect(() => Pipeline.of(bad).run(g.module([x]), { build: g.build, verify: false })).not.toThrow();
  });

  it('blames the pass that lets a removed op through', () => {
    const g = new Make();
    const lazy = pass('forget', (module) => module, strippedGraph);
    expect(() => Pipeline.of(lazy).run(sample(g), { build: g.build })).toThrow(
      /^internal error in forget: the graph breaks the rule "removed": .*(strip|differentiate) removes it/,
    );
  });

  it('blames it also for what it has kept of a graph that was sound until then', () => {
    const g = new Make();
    const lazy = pass('forget', (module) => module, strippedGraph);
    expect(() => Pipeline.of(differentiate).then(lazy).run(sample(g), { build: g.build })).toThrow(
      /^internal error in forget: the graph breaks the rule "removed": .*strip removes it/,
    );
  });

  it('blames the pass that makes a node anew over what its type does not follow from', () => {
    const g = new Make();
    const [x, y] = [g.feed('x', ['N']), g.feed('y', ['N', 'N'])];
    const e = g.f('exp', x);
    const over = (other: typeof x): Pass<ModuleGraph, ModuleGraph> =>
      pass('mistake', (module) => ({
        ...module,
        entries: module.entries.map((entry) => ({
          ...entry,
          outputs: [{ path: '', node: g.build.remake(e, [other], e.attrs) as typeof x }],
        })),
      }));
    const sound = Pipeline.of(pass('keep', (module) => module));
    const run = (other: typeof x): unknown => sound.then(over(other)).run(g.module([e], [['y', y]]), { build: g.build });
    expect(() => run(g.f('sin', x))).not.toThrow();
    expect(() => run(y)).toThrow(/^internal error in mistake: the graph breaks the rule "types"/);
  });

  it('names the pass in which something throws, and keeps the cause', () => {
    const g = new Make();
    const broken = pass('break', () => {
      throw new TypeError('no such thing');
    });
    try {
      Pipeline.of(broken).run(sample(g), { build: g.build });
      expect.unreachable();
    } catch (error) {
      if (!(error instanceof InternalError)) throw error;
      expect(error.message).toBe('internal error in break: no such thing');
      expect(error.cause).toBeInstanceOf(TypeError);
    }
  });

  it("stops after a pass that reports the user's mistakes, with all of them", () => {
    const g = new Make();
    const strict = pass('complain', (module, { report }) => {
      report({ code: 'not-differentiable', message: 'one' });
      report({ code: 'not-differentiable', message: 'two' });
      return module;
    });
    const never = pass('never', () => {
      throw new Error('ran');
    });
    try {
      Pipeline.of(strict).then(never).run(sample(g), { build: g.build });
      expect.unreachable();
    } catch (error) {
      if (!(error instanceof DiagnosticsError)) throw error;
      expect(error.diagnostics.map(({ message }) => message)).toEqual(['one', 'two']);
    }
  });
});

describe('strip', () => {
  it('removes names and marks, also inside loops, and keeps the entry pointing at what was named', () => {
    const g = new Make();
    const x = g.feed('x', ['N']);
    const inner = g.loop(3, [x], (_, z) => [g.named('inside', g.f('sin', g.f('stopGradient', z ?? x)))])[0];
    const y = g.named('y', inner ?? x);
    const { output } = Pipeline.of(differentiate)
      .then(strip)
      .run(g.module([g.f('exp', y)], [['y', y]]), { build: g.build });
    expect(printModule(output)).toBe(`module "test.tdsl"

entry "f" fn {
  dims B, N, K
  feed "x": f64[N]
  %0 = feed {dtype="f64", name="x", shape=[<N>]} : f64[N]
  %1 = loop %0 {carries=1, trip=<3>} : (f64[N]) body(i32, f64[N]) {
    %0 = argument {dtype="f64", index=1, shape=[<N>]} : f64[N]
    %1 = sin %0 : f64[N]
    return %1
  }
  %2 = element %1 {index=0} : f64[N]
  %3 = exp %2 : f64[N]
  output "0" %3
  result (#0)
  name "y" %2
}
`);
  });
});
