// Depth costs no code: layers that are alike are calls of the same kernels. In: models of n like layers. Out: how many codes they have, and
// how they print.

import { describe, expect, it } from 'vitest';
import { checkModule } from '../../src/check/index.js';
import { initEntries } from '../../src/passes/initializers.js';
import { toKernels, toMachine, toSimplified } from '../../src/driver/build/pipeline.js';
import type { Entry, ModuleGraph } from '../../src/graph/index.js';
import { bodyOf, type KernelCode, parseProgram, type Program, printProgram, verifyProgram } from '../../src/kernel/index.js';
import { InlineCosts } from '../../src/lower/form/inline-costs.js';
import { fuse } from '../../src/lower/fuse/fuse.js';
import { foreseenShared, storedOf } from '../../src/lower/fuse/shared.js';
import { describeGrouped, formEntry, fuseEntry, KernelClasses, printFused, splitEntry } from '../../src/lower/index.js';
import { loadStd } from '../../src/std/load.js';
import { gpt, perceptron } from '../bench/scale/models.js';
import { fixedTarget } from './kernels.js';

const std = loadStd();

/** The programs of a text's entries and initial values. */
function programsOf(text: string): Program[] {
  const { module, build, diagnostics } = checkModule({ path: 'deep.tdsl', text, read: () => undefined, std });
  if (module === undefined) throw new Error(diagnostics.map(({ message }) => message).join('\n'));
  const whole = { ...module, entries: [...module.entries, ...initEntries(module.variables)] };
  return toKernels(fixedTarget)
    .run(whole, { build })
    .output.entries.map(({ program }) => program);
}

const codesOf = (programs: readonly Program[]): Set<KernelCode> =>
  new Set(programs.flatMap(({ kernels }) => kernels.map(({ code }) => code)));

const head = 'import { Dense, relu } from "std/nn"\nimport { softmaxCrossEntropy } from "std/loss"\nimport { adam } from "std/optim"\n';
const step = (logits: string): string => `
output = Dense<16, 4>()
export fn predict<B>(x: f32[B, 16]): f32[B, 4] = output(${logits})
export step train<B>(x: f32[B, 16], y: i32[B]): f32 {
  let loss = mean(softmaxCrossEntropy(output(${logits}), y))
  minimize loss with adam(lr: 0.01)
  return loss
}`;

const writings: Readonly<Record<string, (n: number) => string>> = {
  'a list': (n) =>
    `${head}layers = [${Array.from({ length: n }, () => 'Dense<16, 16>(act: relu)').join(', ')}]${step('fold layer in layers with h = x { layer(h) }')}`,
  'a comprehension': (n) =>
    `${head}layers = [Dense<16, 16>(act: relu) for i in 0..${n}]${step('fold layer in layers with h = x { layer(h) }')}`,
  'by hand': (n) => {
    const layers = Array.from({ length: n }, (_, at) => `layer${at} = Dense<16, 16>(act: relu)`).join('\n');
    return `${head}${layers}${step(Array.from({ length: n }, (_, at) => at).reduce((inner, at) => `layer${at}(${inner})`, 'x'))}`;
  },
};

describe('a plan with sums split', () => {
  it.each([perceptron(24), gpt(3)])('of $name is the one that is made without what the plan before decided', ({ text }) => {
    const { module, build } = checkModule({ path: 'deep.tdsl', text, read: () => undefined, std });
    if (module === undefined) throw new Error('there is a mistake in it');
    const [entry] = toSimplified().run(module, { build }).output.entries as [Entry];
    const whole = fuseEntry(formEntry(entry, fixedTarget, new KernelClasses()));
    const { block } = splitEntry(whole);
    expect(block.formed.forms.hasSplits).toBe(true);
    const supposed = [...whole.block.fusion.materialized].filter((node) => !block.formed.materialized.has(node));
    const alone = { formed: block.formed, fusion: fuse(block.formed, { supposed }) };
    const said = (one: typeof block): unknown[] => [
      printFused(describeGrouped({ entry, block: one })),
      one.fusion.notes.map(({ node, neighbour, reason }) => `${node.id} ${neighbour.id} ${reason}`),
      one.fusion.groups.map(({ along }) => [...along].map(({ id }) => id)),
    ];
    expect(said(block)).toEqual(said(alone));
  });
});

describe('depth', () => {
  it.each(Object.entries(writings))('of layers that are written as %s adds no code', (_, text) => {
    const [few, many] = [12, 40].map((n) => programsOf(text(n)));
    expect(codesOf(many ?? []).size).toBe(codesOf(few ?? []).size);
    expect(many?.length).toBe(few?.length);
    expect(codesOf(many ?? []).size).toBeLessThan(24);
  });

  it('is the same however layers are written', () => {
    const printed = Object.values(writings).map((text) => codesOf(programsOf(text(12))).size);
    expect(new Set(printed).size).toBe(1);
  });

  it('has values stored that kernels of the way there and of the way back need, as foreseen', () => {
    const layers = Array.from({ length: 3 }, () => 'Dense<16, 64>(act: gelu), Dense<64, 16>()').join(', ');
    const text = `${head.replace('relu', 'gelu')}layers = [${layers}]${step('fold layer in layers with h = x { layer(h) }')}`;
    const { module, build } = checkModule({ path: 'deep.tdsl', text, read: () => undefined, std });
    const { entries } = toSimplified().run(module as ModuleGraph, { build }).output;
    const { block } = formEntry(entries.find(({ name }) => name === 'train') as Entry, fixedTarget, new KernelClasses());
    const { order, materialized, forms } = block;
    const shared = foreseenShared(order, materialized, forms);
    const foreseen = storedOf(order, shared, materialized, forms, new InlineCosts(materialized, forms));
    expect(foreseen.filter(({ op }) => op.name === 'erf')).toHaveLength(3);
    const fusion = fuse(block);
    expect(foreseen.filter((node) => !fusion.materialized.has(node))).toEqual([]);
  });

  it('prints code once and reads it back', () => {
    const programs = programsOf((writings['a list'] as (n: number) => string)(12));
    for (const program of programs) {
      const text = printProgram(program);
      const again = parseProgram(text);
      expect(printProgram(again)).toBe(text);
      expect(() => verifyProgram(again)).not.toThrow();
      // The printed program is the only one that its codes belong to.
      expect(again.kernels.map((kernel) => bodyOf(kernel).length)).toEqual(program.kernels.map((kernel) => bodyOf(kernel).length));
    }
    expect(printProgram(programs[1] as Program)).toMatch(/\n {2}like k\d+ with /);
  });

  it('keeps codes shared when functions become machine ops', () => {
    const text = (writings['a list'] as (n: number) => string)(12);
    const { module, build } = checkModule({ path: 'deep.tdsl', text, read: () => undefined, std });
    if (module === undefined) throw new Error('no module');
    const { output } = toMachine(fixedTarget).run(module, { build });
    const programs = output.entries.map(({ program }) => program);
    expect(codesOf(programs).size).toBeLessThan(24);
  });
});
