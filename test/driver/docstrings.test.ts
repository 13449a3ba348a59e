// Examples in docstrings. In: every public name. Out: nothing. Holds: each has an example, which TypeScript takes as strictly as it can and
// which runs; what all of them may use (a program, its session, rows) is made anew for each.

import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';
import { moduleOf, publicNames } from './docstring-examples.js';
import { root, workplace } from './tfc.js';

const names = publicNames();
const place = workplace();

const program = `import { Dense, relu } from "std/nn"
import { softmaxCrossEntropy, accuracy } from "std/loss"
import { sgd } from "std/optim"
dim Hidden = 4
hidden = Dense<4, Hidden>(act: relu)
net = Dense<Hidden, 3>()
export fn predict<B>(x: f32[B, 4]): i32[B] = argmax(net(hidden(x)), axis: 1)
export step train<B>(x: f32[B, 4], y: i32[B], lr: f32): { loss: f32, accuracy: f32 } {
  let logits = net(hidden(x))
  let loss = mean(softmaxCrossEntropy(logits, y))
  minimize loss with sgd(lr: lr)
  summary scalar("loss", loss)
  return { loss, accuracy: accuracy(logits, y) }
}
`;

/** What examples may use without declaring it. */
const given = `import type { Dataset, EntrySpec, Module, Pass, Recorder, Session, Tensor } from '@tdsl/tfc';
declare global {
  const model: Module;
  const session: Session;
  const entry: EntrySpec;
  const data: Dataset;
  const pass: Pass;
  const x: Tensor<'f32'>;
  const y: Int32Array<ArrayBuffer>;
  const recorder: Recorder;
}
`;

/** Runs every module that it is given, with all of that; says which of them failed, and how. */
const runner = `import { compileSync, inMemory, openRun, zeros } from '@tdsl/tfc';
const failed = {};
console.log = console.warn = console.error = () => undefined;
for (const name of process.argv.slice(2)) {
  const model = compileSync('model.tdsl');
  const session = model.session({ seed: 42 });
  const [x, y] = [zeros([50, 4]), Int32Array.from({ length: 50 }, (_, at) => at % 3)];
  x.data.forEach((_, at) => (x.data[at] = Math.sin(at)));
  const data = inMemory([{ name: 'x', data: x.data, rows: 50, rowShape: [4] }, { name: 'y', data: y, rows: 50, rowShape: [] }]);
  const { recorder } = await openRun('given', 'model');
  const entry = model.manifest.entries.find((one) => one.name === 'train');
  const pass = { epoch: 1, seed: 0, batch: 50, shuffle: false, rest: 'keep' };
  session.save('weights.safetensors');
  Object.assign(globalThis, { model, session, entry, data, pass, x, y, recorder });
  try {
    await import('./' + name + '.mjs');
  } catch (error) {
    failed[name] = String(error?.stack ?? error);
  }
  await recorder.close();
}
process.stdout.write(JSON.stringify(failed));
`;

/** MNIST's format, without pixels. */
function digits(): void {
  const header = (...words: number[]): Buffer => {
    const bytes = Buffer.alloc(4 * words.length);
    words.forEach((word, at) => bytes.writeUInt32BE(word, 4 * at));
    return bytes;
  };
  mkdirSync(join(place.directory, 'digits'));
  place.file('digits/train-images-idx3-ubyte', Buffer.concat([header(0x803, 2, 28, 28), Buffer.alloc(2 * 784)]));
  place.file('digits/train-labels-idx1-ubyte', Buffer.concat([header(0x801, 2), Buffer.of(3, 7)]));
}

test('every public name has an example', () => {
  expect(names.length).toBeGreaterThan(100);
  expect(names.filter(({ example }) => example === undefined).map(({ name, from }) => `${name} of ${from}`)).toEqual([]);
});

test('an example shows the name that it is of', () => {
  const silent = names.filter(({ name, example }) => !(example ?? '').split(/[^\w$]+/).includes(name));
  expect(silent.map(({ name, from }) => `${name} of ${from}`)).toEqual([]);
});

test('a name without an example is found as such', () => {
  const text = `export { other as renamed } from './other.js';
/** A number. */
export const bare = 1;
/** A number. @example bare */
export const uncoded = 2;
/**
 * A number.
 * @example
 * \`\`\`ts
 * shown;
 * \`\`\`
 */
export const shown = 3;
`;
  place.file(
    'other.ts',
    '/** Of another file. */\nexport interface Other { readonly a: 1 }\nexport const other = 4;\nexport * from "./more.js";\n',
  );
  place.file('more.ts', 'export type More = 1;\n');
  place.file('names.ts', `${text}export * from './other.js';\n`);
  const found = publicNames([['here', join(place.directory, 'names.ts')]]);
  expect(Object.fromEntries(found.map(({ name, example }) => [name, example]))).toEqual({
    renamed: undefined,
    bare: undefined,
    uncoded: undefined,
    shown: 'shown;',
    Other: undefined,
    More: undefined,
  });
});

describe('examples', () => {
  const examples = names.flatMap(({ name, example }, at) =>
    // The number, because some names differ in their case alone.
    example === undefined ? [] : [{ name: `${name}-${at}`, text: moduleOf(example, names) }],
  );

  test('are what TypeScript takes', () => {
    mkdirSync(join(place.directory, 'node_modules', '@tdsl'), { recursive: true });
    symlinkSync(root, join(place.directory, 'node_modules', '@tdsl', 'tfc'));
    place.file('package.json', '{ "type": "module" }');
    place.file('given.d.ts', given);
    const files = examples.map(({ name, text }) => {
      const file = join(place.directory, `${name}.ts`);
      writeFileSync(file, text);
      return file;
    });
    const checked = ts.createProgram([join(place.directory, 'given.d.ts'), ...files], {
      strict: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      noPropertyAccessFromIndexSignature: true,
      noImplicitOverride: true,
      skipLibCheck: true,
      noEmit: true,
      module: ts.ModuleKind.NodeNext,
      target: ts.ScriptTarget.ES2022,
      lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts'],
      types: ['node'],
      typeRoots: [join(root, 'node_modules', '@types')],
    });
    const mistakes = ts
      .getPreEmitDiagnostics(checked)
      .map((one) => `${one.file?.fileName.split('/').at(-1)}: ${ts.flattenDiagnosticMessageText(one.messageText, '\n')}`);
    expect(mistakes).toEqual([]);
  });

  test('run', () => {
    place.file('model.tdsl', program);
    place.file('broken.tdsl', program.replace('Hidden, 3', 'Hidden, 3, 4'));
    place.file('houses.csv', 'rooms,price\n3,1.5\n4,2.5\n');
    place.file('flowers.csv', `x0,x1,x2,x3,kind\n${['iris', 'rose', 'tulip'].map((kind, at) => `${at},1,2,3,${kind}`).join('\n')}\n`);
    digits();
    expect(place.tfc('compile', 'model.tdsl', '-o', 'compiled')).toMatchObject({ status: 0 });
    place.file('runner.mjs', runner);
    const options = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 };
    for (const { name, text } of examples) place.file(`${name}.mjs`, ts.transpileModule(text, { compilerOptions: options }).outputText);
    const { stdout, stderr, status } = spawnSync(process.execPath, ['runner.mjs', ...examples.map(({ name }) => name)], {
      cwd: place.directory,
      encoding: 'utf8',
    });
    expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' });
    expect(JSON.parse(stdout)).toEqual({});
  }, 300_000);
});
