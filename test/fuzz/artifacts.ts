// Damaged artifacts and caches. In: what the compiler wrote, changed. Out: verdicts. Holds: a library with one other byte is
// `bad-artifact`; a cache with anything damaged in it gives the right results, found or built again.

import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { buildInto } from '../../src/driver/build/build.js';
import { Cache } from '../../src/driver/build/cache.js';
import { optionsKey } from '../../src/driver/build/request.js';
import { compileSync } from '../../src/driver/index.js';
import { type Module, openModule } from '../../runtime/index.js';
import { items } from './grains.js';
import { verdictOf } from './judge.js';
import { damaged } from './mutate-bytes.js';
import { Random } from './random.js';
import { fine, found, type Input, type Target, type Verdict } from './target.js';

const sources = {
  first:
    'param w: f32[3] = 2\nstate t: i32 = 0\nexport fn f<B>(x: f32[B, 3]): f32[B] = sum(x * w, axis: 1)\nexport step s(x: f32): i32 {\n  t <- t + 1\n  w <- w * x\n  return t\n}',
  second: 'param w: f32[5] = 1\nexport fn f<B>(x: f32[B, 3]): f32[B] = sum(x, axis: 1) * sum(w) + 7 + 1e-60',
} as const;

/** Codes of what is said of each, also when it comes from the cache. */
const warnings = { first: '', second: 'literal-underflow' } as const;

type Model = keyof typeof sources;
const models = Object.keys(sources) as Model[];

/**
 * Where the damage is done: in an artifact's directory, or in the compile cache, which is asked what it has, or asked for the program, so
 * that what is damaged is compiled again.
 */
interface Recipe {
  readonly place: 'artifact' | 'cache' | 'rebuilt';
  readonly model: Model;
  /** Which of the files, counted around. */
  readonly file: number;
  readonly damage: 'bytes' | 'cut' | 'zeros' | 'swap' | 'remove' | 'folder' | 'empty' | 'flip';
  readonly seed: number;
}

function draw(random: Random): Input {
  const recipe = (): Recipe => ({
    place: random.chance(0.5) ? 'artifact' : random.chance(0.95) ? 'cache' : 'rebuilt',
    model: random.pick(models),
    file: random.chance(0.6) ? 0 : random.int(6),
    damage: random.pick(['bytes', 'bytes', 'cut', 'zeros', 'swap', 'flip', 'flip', 'flip', 'remove', 'folder', 'empty']),
    seed: random.bits(),
  });
  const one = recipe();
  return { extension: `${one.place}.json`, bytes: Buffer.from(JSON.stringify([one])) };
}

interface Prepared {
  readonly root: string;
  readonly programs: Readonly<Record<Model, string>>;
  readonly artifacts: Readonly<Record<Model, string>>;
  readonly cache: string;
}

let prepared: Prepared | undefined;

function prepare(): Prepared {
  if (prepared !== undefined) return prepared;
  const root = mkdtempSync(join(tmpdir(), 'tfc-artifacts-'));
  const place = (name: string) =>
    Object.fromEntries(models.map((model) => [model, join(root, name === '' ? `${model}.tdsl` : `${name}-${model}`)])) as Record<
      Model,
      string
    >;
  const [programs, artifacts, cache] = [place(''), place('out'), join(root, 'cache')];
  for (const model of models) {
    writeFileSync(programs[model], sources[model]);
    buildInto({ path: programs[model], set: {}, cpu: 'native' }, artifacts[model], new Map());
    inCache(cache, () => compileSync(programs[model]).close());
  }
  prepared = { root, programs, artifacts, cache };
  return prepared;
}

function inCache<T>(directory: string, body: () => T): T {
  const before = process.env['TFC_CACHE'];
  process.env['TFC_CACHE'] = directory;
  try {
    return body();
  } finally {
    process.env['TFC_CACHE'] = before;
  }
}

let uses = 0;

function check({ bytes }: Input): Verdict {
  const recipes = JSON.parse(Buffer.from(bytes).toString()) as readonly Recipe[];
  const { root, programs, artifacts, cache } = prepare();
  // The dynamic loader knows libraries by name.
  const scratch = join(root, `use-${uses++}`);
  try {
    const [first] = recipes;
    if (first === undefined) return fine;
    const inArtifact = first.place === 'artifact';
    const { model } = first;
    cpSync(inArtifact ? artifacts[model] : cache, scratch, { recursive: true, preserveTimestamps: true });
    const random = new Random(first.seed);
    const touched = recipes.flatMap((recipe) =>
      recipe.place === first.place ? spoil(scratch, recipe, inArtifact ? artifacts[other(recipe.model)] : undefined, random) : [],
    );
    if (first.place === 'cache') {
      const request = { path: programs[model], set: {}, cpu: 'native', roots: [] };
      const known = new Cache(scratch).find({ path: request.path, options: optionsKey(request) });
      if (known === undefined) return { kind: 'refused', code: 'bad-artifact' };
      const said = known.warnings.map(({ code }) => code).join();
      if (said !== warnings[model]) return found('wrong', `warnings ${JSON.stringify(said)}`);
      using module = openModule(known.directory);
      return right(module, model);
    }
    if (!inArtifact) {
      const said: string[] = [];
      using module = inCache(scratch, () => compileSync(programs[model], { onWarning: ({ code }) => said.push(code) }));
      return said.join() === warnings[model] ? right(module, model) : found('wrong', `warnings ${JSON.stringify(said)}`);
    }
    const library = readFileOr(join(scratch, 'module.so'));
    const whole = library !== undefined && library.equals(readFileSync(join(artifacts[model], 'module.so')));
    const swapped = library !== undefined && library.equals(readFileSync(join(artifacts[other(model)], 'module.so')));
    let module: Module;
    try {
      module = openModule(scratch);
    } catch (error) {
      const verdict = verdictOf(error);
      return verdict.kind === 'refused' && whole
        ? found('refused', `a library that is whole, when ${touched.join()} is damaged: ${String(error)}`)
        : verdict;
    }
    using opened = module;
    if (!whole && !swapped) return found('accepted', 'a damaged library');
    return right(opened, swapped ? other(model) : model);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

const other = (model: Model): Model => (model === 'first' ? 'second' : 'first');

const readFileOr = (path: string): Buffer | undefined =>
  statSync(path, { throwIfNoEntry: false })?.isFile() === true ? readFileSync(path) : undefined;

const filesOf = (folder: string): string[] =>
  readdirSync(folder, { withFileTypes: true })
    .flatMap((entry) => (entry.isDirectory() ? filesOf(join(folder, entry.name)) : [join(folder, entry.name)]))
    .sort();

function flipped(bytes: Buffer, random: Random): Buffer {
  if (bytes.length === 0) return Buffer.from([random.int(256)]);
  const at = random.int(bytes.length);
  bytes[at] = (bytes[at] ?? 0) ^ (1 << random.int(8));
  return bytes;
}

/** Damages one file, whose content is another one then; gives its name. */
function spoil(folder: string, { file, damage }: Recipe, otherFolder: string | undefined, random: Random): string[] {
  const files = filesOf(folder).sort((a, b) => Number(b.endsWith('.so')) - Number(a.endsWith('.so')));
  if (files.length === 0) return [];
  const path = files[file % files.length] as string;
  const times = statSync(path);
  const original = readFileSync(path);
  const before = Buffer.from(original);
  const name = relative(folder, path);
  const twin = (): Buffer => {
    const same = files.filter((one) => one !== path && one.slice(-3) === path.slice(-3));
    return otherFolder === undefined
      ? same.length === 0
        ? before
        : readFileSync(random.pick(same))
      : readFileSync(join(otherFolder, name));
  };
  switch (damage) {
    case 'bytes':
      writeFileSync(path, damaged(before, random, twin));
      break;
    case 'flip':
      writeFileSync(path, flipped(before, random));
      break;
    case 'cut':
      writeFileSync(path, before.subarray(0, random.int(before.length + 1)));
      break;
    case 'zeros':
      before.fill(0, random.int(before.length + 1));
      writeFileSync(path, before);
      break;
    case 'swap':
      writeFileSync(path, twin());
      break;
    case 'empty':
      writeFileSync(path, '');
      break;
    case 'remove':
      rmSync(path);
      break;
    case 'folder':
      rmSync(path);
      mkdirSync(path);
      break;
  }
  const after = readFileOr(path);
  if (after?.equals(original) === true) writeFileSync(path, flipped(after, random));
  // A disk that forgets says nothing of it in the file's times.
  if (after !== undefined && random.chance(0.5)) utimesSync(path, times.atime, times.mtime);
  return [name];
}

/** Does the module compute what its source says? */
function right(module: Module, model: Model): Verdict {
  using session = module.session({ threads: 1 });
  const result = session.run('f', {
    x: [
      [1, 2, 3],
      [4, 5, 6],
    ],
  });
  const text = JSON.stringify((result as { toArray?: () => unknown }).toArray?.());
  const expected = model === 'first' ? '[12,30]' : '[37,82]';
  return text === expected ? fine : found('wrong', `f gives ${text}, expected ${expected}`);
}

export const artifacts: Target = { seconds: 3, batch: 50, draw, check, grains: [items] };
