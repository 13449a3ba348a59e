// Declarations of programs. In: programs, snippets of TypeScript. Out: files, diagnostics of TypeScript, places of definitions.

import { spawn } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, test } from 'vitest';
import { cli, jsonError, jsonLines, root, workplace } from './tfc.js';
import { checkSnippets, installIn } from './types/typed-place.js';

const place = workplace();
const { directory, tfc } = place;
const programs = {
  kinds: join(root, 'test', 'driver', 'types', 'kinds.tdsl'),
  mnist: join(root, 'examples', 'mnist', 'mnist.tdsl'),
  moons: join(root, 'test', 'programs', 'moons.tdsl'),
};
const declarations = (name: string): string => join(directory, '.tfc', 'types', `${name}.d.tdsl.ts`);

beforeAll(() => {
  installIn(place);
  for (const [name, path] of Object.entries(programs)) copyFileSync(path, join(directory, `${name}.tdsl`));
  expect(tfc('types')).toMatchObject({ status: 0, err: '' });
});

describe('declaration files', () => {
  test.each(Object.keys(programs))('%s', (name) => {
    const golden = join(root, 'test', 'driver', 'types', 'golden', `${name}.txt`);
    const made = `${readFileSync(declarations(name), 'utf8')}\n${readFileSync(`${declarations(name)}.map`, 'utf8')}\n`;
    if (process.env['TFC_GOLDEN'] === '1') {
      mkdirSync(join(golden, '..'), { recursive: true });
      writeFileSync(golden, made);
    }
    expect(made).toBe(readFileSync(golden, 'utf8'));
  });
});

/** What a session of each program is called in the snippets. */
const start = `import kinds, { type Session as KindsSession } from './kinds.tdsl';
import mnist from './mnist.tdsl';
import { type Module, type SessionMethods, tensor, Tensor, zeros } from '@tdsl/tfc';
const k = kinds.session();
const m = mnist.session({ seed: 1 });
declare const batch: number;
declare const sizes: number[];
declare const f32: Tensor<'f32'>;
export const used = [kinds, mnist, tensor, Tensor, zeros, k, m, batch, sizes, f32] as unknown as [KindsSession, Module, SessionMethods];
`;

describe('TypeScript', () => {
  const right: readonly string[] = [
    'm.predict({ x: zeros([50, 784]) });',
    'm.predict({ x: zeros([batch, 784]) }); m.predict({ x: zeros([50, batch]) }); m.predict({ x: zeros(sizes) }); m.predict({ x: f32 });',
    'm.predict({ x: new Float32Array(784) }); m.predict({ x: [new Float32Array(784)] }); m.predict({ x: [[0, 1]] });',
    "m.predict({ x: [[NaN, 'Infinity', 1n]] });",
    "m.predict({ x: { data: new Float32Array(784), shape: [1, 784] } }); m.predict({ x: { data: [0], shape: [1, 784], dtype: 'f32' } });",
    'm.train({ x: tensor(new Float32Array(784), [1, 784]), y: tensor(Int32Array.of(1)) });',
    'm.train({ x: f32, y: Int32Array.of(1) }).loss.toFixed();',
    'const labels: Tensor<"i32"> = m.predict({ x: f32 }); labels.data.map((one: number) => one);',
    'm.run("train", { x: f32, y: [1] }).accuracy.toFixed();',
    'const w: Tensor<"f32"> = m.get("net/hidden1/w"); m.set("net/hidden1/b", w.data); m.get(mnist.paths.net.hidden1.w);',
    'm.save("all.safetensors", [mnist.paths.net.output.w, "net/output/b"]); m.initialize(["net/output/b"]);',
    'const { a, b } = m.run({ a: "train/loss", b: ["logits", { c: "net/output/b" }] }, { x: f32, y: [1] }); a.toFixed(); b[1].c.data.fill(0);',
    'const [loss, step] = m.run(["loss", "train"], { x: f32, y: [1] }); loss.toFixed(); step.accuracy.toFixed();',
    'm.run("logits", { "train/x": f32 }).shape; m.run("loss", { logits: zeros([2, 10]), y: [1, 2] }).toFixed();',
    'm.run("train/accuracy", { x: f32, y: [1] }).toFixed();',
    'const counted: number | bigint = k.count(); k.count({});',
    'const [t, mask] = k.picked({ table: new Uint16Array(4), ids: Uint8Array.of(1, 2), mask: [true, false] }); t.dtype === "f16"; mask.data;',
    'k.twice({ x: 1 }).total.toFixed(); k.twice({ x: [1, 2] }); k.twice({ x: [[[1]]] }); k.twice({ x: zeros([1, 2, 3]) });',
    'k.save("file.safetensors"); k.run("save", { x: [[1, 2, 3, 4]] }).loss.toFixed();',
    'k.get(kinds.paths.layers[1].w); k.set("flags", [true, false]); k.set("steps", "9007199254740993"); k.get("scale/factor").data;',
    'const session: KindsSession = k; const any: SessionMethods = k; const module: Module = kinds; module.session().run("count"); any; session;',
    'using one = mnist.session(); one.train({ x: f32, y: [0] });',
  ];
  /** Code, what the message names, snippet. */
  const wrong: readonly (readonly [code: number, names: string, snippet: string])[] = [
    [2345, "'y' is missing", 'm.train({ x: f32 });'],
    [2353, "'z' does not exist", 'm.train({ x: f32, y: [1], z: 1 });'],
    [2554, 'Expected 1 arguments', 'm.predict();'],
    [2551, "'predct' does not exist", 'm.predct({ x: f32 });'],
    [2322, 'Float64Array', 'm.predict({ x: new Float64Array(784) });'],
    [2322, '\'Tensor<"f64"', "m.predict({ x: zeros([1, 784], 'f64') });"],
    [2322, '784', 'm.predict({ x: zeros([50, 100]) });'],
    [2322, '784', 'm.predict({ x: zeros([784]) });'],
    [2322, 'number', 'm.predict({ x: [1, 2] });'],
    [2322, 'number', 'm.predict({ x: 1 });'],
    [2322, 'true', 'm.predict({ x: [[true]] });'],
    [2322, '"one"', 'm.train({ x: f32, y: ["one"] });'],
    [2322, 'Float64Array', 'm.predict({ x: { data: new Float64Array(784), shape: [1, 784] } });'],
    [2322, 'Uint8Array', 'k.picked({ table: new Uint16Array(4), ids: Int8Array.of(1), mask: [true] });'],
    [2322, 'number', 'k.picked({ table: new Uint16Array(4), ids: [1], mask: [1] });'],
    [2345, '"lss"', 'm.run("lss");'],
    [2345, '"train/lss"', 'm.run({ a: "train/lss" });'],
    [2820, '"lss"', 'm.run(["loss", "lss"]);'],
    [2769, "'y' is missing", 'm.run("train", { x: f32 });'],
    [2769, "'number' is not assignable to type 'Feed", 'm.run(["loss"], { logits: 3 });'],
    [2769, "'nothing' does not exist", 'm.run(["loss"], { nothing: 3 });'],
    [2769, "'undefined'", 'm.run(["loss"], { accuracy: 0.5 });'],
    [2345, 'net/hidden1/weight', 'm.get("net/hidden1/weight");'],
    [2339, "'weight' does not exist", 'm.get(mnist.paths.net.hidden1.weight);'],
    [2322, 'net/x', 'm.save("file", ["net/x"]);'],
    [2345, '784, 300', 'm.set("net/hidden1/w", zeros([784, 100]));'],
    [2322, 'Tensor', 'const loss: number = m.predict({ x: f32 });'],
    [2551, "'los' does not exist", 'm.train({ x: f32, y: [1] }).los;'],
    [2345, 'string', 'k.save({ x: [[1, 2, 3, 4]] });'],
    [2307, './none.tdsl', 'import none from "./none.tdsl"; none;'],
  ];

  it('takes what is right, and says what is wrong', () => {
    const found = checkSnippets(
      place,
      [...right, ...wrong.map(([, , snippet]) => snippet)].map((snippet) => start + snippet),
    );
    expect(right.map((snippet, at) => [snippet, found[at]])).toEqual(right.map((snippet) => [snippet, []]));
    const said = wrong.map(([code, names, snippet], at) => {
      const [first = ''] = found[right.length + at] ?? [];
      return [snippet, first.startsWith(`TS${code}: `) && first.includes(names) ? 'refused' : first];
    });
    expect(said).toEqual(wrong.map(([, , snippet]) => [snippet, 'refused']));
  });

  it('goes to the line of the program', async () => {
    const text = `import mnist from './mnist.tdsl';
const session = mnist.session();
const { loss, accuracy } = session.train({ x: [[1]], y: [1] });
session.get(mnist.paths.net.hidden1.w);
session.run({ a: 'logits' });
export { loss, accuracy };
`;
    place.file('definitions.ts', text);
    const asked = ["./mnist.tdsl'", 'train(', 'x:', 'y:', 'loss,', 'accuracy }', 'w);'];
    const source = readFileSync(programs.mnist, 'utf8');
    const lines = (await definitions(join(directory, 'definitions.ts'), text, asked)).map((found) =>
      found.map(({ file, line, offset }) => [file.slice(directory.length + 1), source.split('\n')[line - 1]?.slice(offset - 1)]),
    );
    const train = source.split('\n').find((line) => line.includes('step train')) ?? '';
    const at = (piece: string): readonly string[] => ['mnist.tdsl', train.slice(train.indexOf(piece))];
    expect(lines.map(([first]) => first)).toEqual([
      ['mnist.tdsl', source.split('\n')[0]],
      at('train<'),
      at('x: f32'),
      at('y: i32'),
      at('loss: f32'),
      at('accuracy: f32'),
      ['mnist.tdsl', 'net = Mlp<10>()'],
    ]);
  });
});

interface Definition {
  readonly file: string;
  readonly line: number;
  readonly offset: number;
}

/** What an editor is told: where what stands at each of these places in a file is defined. */
async function definitions(file: string, text: string, places: readonly string[]): Promise<readonly (readonly Definition[])[]> {
  const server = spawn(process.execPath, [
    join(root, 'node_modules', 'typescript', 'lib', 'tsserver.js'),
    '--disableAutomaticTypingAcquisition',
    '--suppressDiagnosticEvents',
  ]);
  try {
    let sequence = 0;
    const send = (command: string, body: object): void =>
      void server.stdin.write(`${JSON.stringify({ seq: sequence++, type: 'request', command, arguments: body })}\n`);
    send('open', { file });
    for (const piece of places) {
      const before = text.slice(0, text.indexOf(piece) + 1).split('\n');
      send('definitionAndBoundSpan', { file, line: before.length, offset: before.at(-1)?.length });
    }
    const answers: (readonly Definition[])[] = [];
    let said = '';
    for await (const chunk of server.stdout) {
      said += String(chunk);
      const whole = said.split('\n');
      said = whole.pop() ?? '';
      for (const line of whole) {
        if (!line.startsWith('{')) continue;
        const { command, body } = JSON.parse(line) as {
          readonly command?: string;
          readonly body?: { readonly definitions: readonly { readonly file: string; readonly start: Omit<Definition, 'file'> }[] };
        };
        if (command !== 'definitionAndBoundSpan') continue;
        answers.push((body?.definitions ?? []).map(({ file: where, start }) => ({ file: where, line: start.line, offset: start.offset })));
        if (answers.length === places.length) return answers;
      }
    }
    return answers;
  } finally {
    server.kill();
  }
}

describe('tfc types', () => {
  const own = workplace();
  const written = (name: string, out = join('.tfc', 'types')): string => readFileSync(join(own.directory, out, name), 'utf8');
  const line = 'export fn f<B>(x: f32[B, 2]): f32[B] = sum(x, axis: 1)\n';

  it('writes what has changed, and nothing else', () => {
    mkdirSync(join(own.directory, 'nets', 'inner'), { recursive: true });
    mkdirSync(join(own.directory, 'node_modules', 'other'), { recursive: true });
    own.file('line.tdsl', line);
    own.file('nets/inner/deep.tdsl', `import { half } from "../half.tdsl"\nexport fn f(x: f32): f32 = half(x)\n`);
    own.file('nets/half.tdsl', 'fn half(x: f32): f32 = x / 2\n');
    own.file('node_modules/other/their.tdsl', 'no program');
    const first = own.tfc('types', '--root', '.');
    expect(first).toEqual({
      status: 0,
      out: '.tfc/types/line.d.tdsl.ts: written\n.tfc/types/nets/inner/deep.d.tdsl.ts: written\n',
      err: '',
    });
    const at = statSync(join(own.directory, '.tfc', 'types', 'line.d.tdsl.ts')).mtimeMs;
    expect(own.tfc('types', '--root', '.', '--json').out).toBe(
      '{"files":[{"program":"line.tdsl","path":".tfc/types/line.d.tdsl.ts","changed":false},' +
        '{"program":"nets/inner/deep.tdsl","path":".tfc/types/nets/inner/deep.d.tdsl.ts","changed":false}]}\n',
    );
    expect(statSync(join(own.directory, '.tfc', 'types', 'line.d.tdsl.ts')).mtimeMs).toBe(at);
    expect(readdirSync(join(own.directory, '.tfc', 'types'), { recursive: true }).sort()).toEqual([
      'line.d.tdsl.ts',
      'line.d.tdsl.ts.map',
      'nets',
      'nets/inner',
      'nets/inner/deep.d.tdsl.ts',
      'nets/inner/deep.d.tdsl.ts.map',
    ]);
    expect((JSON.parse(written('nets/inner/deep.d.tdsl.ts.map')) as { readonly sources: unknown }).sources).toEqual([
      '../../../../nets/inner/deep.tdsl',
    ]);
  });

  it('says with --check what is out of date, and writes nothing', () => {
    expect(own.tfc('types', 'line.tdsl', '--check').status).toBe(0);
    const before = written('line.d.tdsl.ts');
    own.file('line.tdsl', line.replace('f32[B, 2]', 'f32[B, 3]'));
    expect(jsonError(own.tfc('types', 'line.tdsl', '--check', '--json'))).toMatchObject({ code: 'out-of-date' });
    const { status, err } = own.tfc('types', 'line.tdsl', '--check');
    expect([status, err]).toEqual([
      1,
      'error[out-of-date]: .tfc/types/line.d.tdsl.ts is not what `tfc types` makes of line.tdsl\n' +
        '  hint: Run `tfc types`, and commit or build with what it writes.\n',
    ]);
    expect(written('line.d.tdsl.ts')).toBe(before);
    expect(own.tfc('types', 'line.tdsl').out).toBe('.tfc/types/line.d.tdsl.ts: written\n');
    expect(written('line.d.tdsl.ts')).toContain('[number, 3]');
  });

  it('leaves the file of a program with mistakes, and writes those of others', () => {
    const before = written('line.d.tdsl.ts');
    own.file('line.tdsl', line.replace('sum(', 'sums('));
    own.file('other.tdsl', 'dim N = 2\nexport fn g(x: f32[N]): f32[N] = x\n');
    const { status, err } = own.tfc('types', 'line.tdsl', 'other.tdsl');
    expect(status).toBe(1);
    expect(err).toContain('unknown-name');
    expect(written('line.d.tdsl.ts')).toBe(before);
    expect(written('other.d.tdsl.ts')).toContain("Feed<'f32', [2]>");
    expect(own.tfc('types', 'other.tdsl', '--set', 'N=5').status).toBe(0);
    expect(written('other.d.tdsl.ts')).toContain("Feed<'f32', [5]>");
    expect(jsonError(own.tfc('types', 'line.tdsl', '--json'))).toMatchObject({ code: 'unknown-name', file: 'line.tdsl' });
  });

  it.each([
    [['none.tdsl'], 1, 'file-not-found'],
    [['../elsewhere.tdsl'], 1, 'is not below'],
    [['nets/half.tdsl'], 1, 'exports nothing that could be called'],
    [['package.json'], 1, 'not-a-program'],
    [['--out', 'taken'], 1, 'file-not-written'],
    [['--out', ''], 2, '--out takes a directory'],
    [['--check', '--watch'], 2, 'not both'],
  ])('%j ends with a message', (args, code, message) => {
    own.file('package.json', '{}');
    own.file('taken', '');
    own.file('line.tdsl', line);
    const { status, err } = own.tfc('types', ...args);
    expect(err).toContain(message);
    expect(status).toBe(code);
    expect(err).not.toMatch(/^\s+at /m);
  });

  it('writes again while it watches', async () => {
    const watching = workplaceOfOne();
    const child = spawn(process.execPath, [cli, 'types', '--watch', '--out', 'types'], { cwd: watching.directory });
    let said = '';
    const heard = async (text: string): Promise<void> => {
      await expect.poll(() => said, { timeout: 20_000, interval: 20 }).toContain(text);
      said = '';
    };
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
    try {
      await heard('types/one.d.tdsl.ts: written');
      watching.file('one.tdsl', 'import { twice } from "./twice.tdsl"\nexport fn f(x: f32): f32 = twice(x)\n');
      await heard('file-not-found');
      watching.file('twice.tdsl', 'fn twice(x: f32): f32 = x * 2\n');
      await heard('types/one.d.tdsl.ts: written');
      watching.file('two.tdsl', line);
      await heard('types/two.d.tdsl.ts: written');
      rmSync(join(watching.directory, 'two.tdsl'));
      await heard('types/one.d.tdsl.ts: up to date');
    } finally {
      child.kill();
    }
  });

  function workplaceOfOne(): { readonly directory: string; file(name: string, text: string): void } {
    const inner = join(own.directory, 'watched');
    mkdirSync(inner);
    const file = (name: string, text: string): void => writeFileSync(join(inner, name), text);
    file('one.tdsl', line);
    return { directory: inner, file };
  }

  it('gives the same bytes for the same program, wherever it lies', () => {
    const [here, there] = [own, place].map((one) => {
      mkdirSync(join(one.directory, 'same'), { recursive: true });
      one.file('same/kinds.tdsl', readFileSync(programs.kinds));
      expect(jsonLines(one.tfc('types', 'same/kinds.tdsl', '--json'))).toHaveLength(1);
      return ['kinds.d.tdsl.ts', 'kinds.d.tdsl.ts.map'].map((name) =>
        readFileSync(join(one.directory, '.tfc', 'types', 'same', name), 'utf8'),
      );
    });
    expect(here).toEqual(there);
  });
});
