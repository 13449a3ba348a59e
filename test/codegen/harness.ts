// Compiles hand-made programs and runs them. In: kernels and arrays. Out: the arrays that an artifact computed, read and written between
// guard pages.
// Holds: the driver is compiled and started once per test file; every artifact goes through the public way, with object code and linker.

import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildArtifact, compilePrograms, hostTarget } from '../../codegen/llvm/index.js';
import { vectorizer } from '../../src/lower/index.js';
import type { CpuTarget } from '../../src/target/index.js';
import { bytesOf, Dim, type DType, elementCount } from '../../src/base/index.js';
import { elements, type TypedArray } from '../../runtime/element.js';
import {
  build,
  type Accumulator,
  type Axis,
  type Buffer,
  type Combiner,
  type Expr,
  type For,
  type Kernel,
  type Program,
  type Stmt,
  ownCode,
} from '../../src/kernel/index.js';

const here = dirname(fileURLToPath(import.meta.url));

export type Data = TypedArray;

export interface RunInput {
  readonly feeds?: readonly Data[];
  readonly variables?: readonly Data[];
  readonly dims?: Readonly<Record<string, number>>;
  /** Runs the entry's phases in so many shares, the last one first, where that pays. */
  readonly shares?: number;
  readonly repeat?: number;
  readonly entry?: number;
}

export interface RunOutput {
  readonly outputs: readonly Data[];
  readonly variables: readonly Data[];
  /** Phases that were run; 0 when everything ran at once. */
  readonly phases: number;
  readonly arenaBytes: number;
  readonly seconds: number;
}

/** The process of `driver.c`, which runs artifacts. */
class Driver {
  readonly #requests: number;
  readonly #replies: number;

  constructor(folder: string) {
    const program = join(folder, 'driver');
    const made = spawnSync('cc', ['-O1', '-o', program, join(here, 'driver.c'), '-ldl'], { encoding: 'utf8' });
    if (made.status !== 0) throw new Error(`the driver does not compile: ${made.stderr}`);
    const pipes = ['requests', 'replies'].map((name) => join(folder, name)) as [string, string];
    execFileSync('mkfifo', pipes);
    // It ends when nobody holds the pipe of its requests any more.
    spawn(program, pipes, { stdio: ['ignore', 'ignore', 'inherit'] }).unref();
    this.#requests = openSync(pipes[0], 'w');
    this.#replies = openSync(pipes[1], 'r');
  }

  /** `parts`: a request behind the path. Returns the first `bytes` of the reply, whatever the entry said. */
  run(path: string, parts: readonly Uint8Array[], bytes: number): DataView {
    const name = globalThis.Buffer.from(path);
    const sizes = [8 + name.length + parts.reduce((sum, part) => sum + part.byteLength, 0), name.length];
    const request = globalThis.Buffer.concat([bytesOfNumbers(sizes), name, ...parts]);
    for (let at = 0; at < request.length;) at += writeSync(this.#requests, request, at);
    const [ended] = new BigInt64Array(this.#read(8).buffer) as unknown as [bigint];
    if (ended !== 0n) throw new Error(`the artifact ended with ${ended > 256n ? `signal ${ended - 256n}` : ended}`);
    return this.#read(bytes);
  }

  #read(bytes: number): DataView {
    const to = new DataView(new ArrayBuffer(bytes));
    for (let at = 0; at < bytes;) {
      const now = readSync(this.#replies, to, at, bytes - at, null);
      if (now === 0) throw new Error('the driver ended');
      at += now;
    }
    return to;
  }

  close(): void {
    closeSync(this.#requests);
    closeSync(this.#replies);
  }
}

const bytesOfNumbers = (numbers: readonly number[]): Uint8Array =>
  new Uint8Array(BigInt64Array.from(numbers.map((value) => BigInt(value))).buffer);

export class Bench {
  readonly #folder = mkdtempSync(join(tmpdir(), 'tfc-codegen-'));
  readonly #driver = new Driver(this.#folder);
  #artifacts = 0;

  /** Loops are given what the target wants of them. */
  compile(programs: readonly Program[], target: CpuTarget = hostTarget()): Artifact {
    const path = join(this.#folder, `artifact-${this.#artifacts++}.so`);
    const { library, timings } = buildArtifact({ programs: programs.map(vectorizer(target)), manifest: '{"abi":1}', target });
    writeFileSync(path, library);
    return new Artifact(this.#driver, path, programs, timings);
  }

  run(program: Program, input: RunInput = {}, target: CpuTarget = hostTarget()): RunOutput {
    return this.compile([program], target).run(input);
  }

  close(): void {
    this.#driver.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Code as text, loops given what the target wants of them. */
export function textOf(programs: readonly Program[], target: CpuTarget, emit: 'llvm' | 'llvm-optimized' | 'asm'): string {
  const output = compilePrograms({ programs: programs.map(vectorizer(target)), manifest: '{}', target, emit });
  return output.kind === 'text' ? output.text : '';
}

export class Artifact {
  readonly path: string;
  readonly timings: { readonly buildMs: number; readonly optimizeMs: number; readonly codegenMs: number; readonly linkMs: number };
  readonly #driver: Driver;
  readonly #programs: readonly Program[];

  constructor(driver: Driver, path: string, programs: readonly Program[], timings: Artifact['timings']) {
    this.#driver = driver;
    this.path = path;
    this.#programs = programs;
    this.timings = timings;
  }

  run(input: RunInput = {}): RunOutput {
    const entry = input.entry ?? 0;
    const program = this.#programs[entry];
    if (program === undefined) throw new Error(`no entry ${entry}`);
    const dims = new Map(Object.entries(input.dims ?? {}));
    const outputs = program.buffers
      .flatMap((buffer) => (buffer.role.kind === 'output' ? [{ buffer, at: buffer.role.index }] : []))
      .sort((a, b) => a.at - b.at)
      .map(({ buffer }) => allocate(buffer.dtype, elementCount(buffer.shape).evaluate(dims) ?? NaN));
    const feeds = input.feeds ?? [];
    const variables = (input.variables ?? []).map((data) => data.slice());
    const head = [entry, input.shares ?? 0, input.repeat ?? 1, program.dims.length, ...program.dims.map((dim) => dims.get(dim) ?? NaN)];
    for (const group of [feeds, outputs, variables]) head.push(group.length, ...group.map((data) => data.byteLength));
    const bytes = (data: Data): Uint8Array => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    const results = [...outputs, ...variables];
    const size = 32 + results.reduce((sum, data) => sum + data.byteLength, 0);
    const said = this.#driver.run(this.path, [bytesOfNumbers(head), ...feeds.map(bytes), ...variables.map(bytes)], size);
    if (said.getBigInt64(0, true) !== 0n) throw new Error('the entry reported a failure');
    let at = 32;
    for (const data of results) {
      bytes(data).set(new Uint8Array(said.buffer, at, data.byteLength));
      at += data.byteLength;
    }
    return {
      outputs,
      variables,
      phases: Number(said.getBigInt64(8, true)),
      arenaBytes: Number(said.getBigInt64(16, true)),
      seconds: said.getFloat64(24, true),
    };
  }
}

export const allocate = (dtype: DType, length: number): Data =>
  elements[dtype].view(new ArrayBuffer(length * elements[dtype].bytes), 0, length);

/** The elements of an array that must be there. */
export function list(data: Data | undefined): (number | bigint)[] {
  if (data === undefined) throw new Error('there is no such array');
  return Array.from<number | bigint>(data);
}

// ---- Short hand for kernels ----

export const { apply, constant, index, int, load, name, plus, times, minus, size } = build;
export const f32 = (value: number): Expr => constant('f32', value);
export const dim = (of: number | string): Dim => Dim.of(of);

export const feed = (at: number, dtype: DType, ...shape: (number | string | Dim)[]): Buffer =>
  build.buffer(
    `feed${at}`,
    dtype,
    shape.map((s) => Dim.of(s)),
    { kind: 'feed', index: at },
  );
export const output = (at: number, dtype: DType, ...shape: (number | string | Dim)[]): Buffer =>
  build.buffer(
    `out${at}`,
    dtype,
    shape.map((s) => Dim.of(s)),
    { kind: 'output', index: at },
  );
export const variable = (at: number, dtype: DType, ...shape: number[]): Buffer =>
  build.buffer(
    `var${at}`,
    dtype,
    shape.map((s) => Dim.of(s)),
    { kind: 'variable', index: at },
  );
export const temporary = (text: string, dtype: DType, ...shape: (number | string | Dim)[]): Buffer =>
  build.buffer(
    text,
    dtype,
    shape.map((s) => Dim.of(s)),
    { kind: 'temporary' },
  );

export const loop = (axis: Axis, text: string, extent: number | string | Dim | Expr, body: readonly Stmt[], limit?: number): For => ({
  kind: 'for',
  index: text,
  extent: typeof extent === 'object' && 'kind' in extent ? extent : size(typeof extent === 'string' ? Dim.of(extent) : extent),
  axis,
  ...(limit === undefined ? {} : { limit }),
  body,
});
export const store = (buffer: Buffer, at: readonly Expr[], value: Expr): Stmt => ({ kind: 'store', buffer, index: at, value });
export const declare = (accumulator: Accumulator, initial: Expr): Stmt => ({ kind: 'declare', accumulator, initial });
export const accumulate = (accumulator: Accumulator, at: readonly Expr[], combine: Combiner, value: Expr): Stmt => ({
  kind: 'accumulate',
  accumulator,
  index: at,
  combine,
  value,
});
export const accumulator = (text: string, dtype: DType, ...shape: number[]): Accumulator => ({ name: text, dtype, shape });
export const define = (text: string, value: Expr): Stmt => ({ kind: 'let', name: text, value });

export const kernel = (text: string, body: readonly Stmt[], flops: Dim = Dim.zero): Kernel => ({
  name: text,
  ...ownCode(body),
  cost: { bytesRead: Dim.zero, bytesWritten: Dim.zero, flops },
  origins: [],
  title: text,
});

export function program(kernels: readonly Kernel[], buffers: readonly Buffer[], dims: readonly string[] = []): Program {
  const temporaries = buffers.filter((buffer) => buffer.role.kind === 'temporary');
  return {
    entry: 'main',
    dims,
    buffers,
    kernels,
    arena: {
      slots: temporaries.map((buffer) => ({ bytes: [elementCount(buffer.shape).mul(bytesOf(buffer.dtype))] })),
      slotOf: new Map(temporaries.map((buffer, at) => [buffer.name, at])),
    },
  };
}

/** A small generator of repeatable numbers in [-2, 2). */
export function numbers(length: number, seed = 1): Float32Array {
  const made = new Float32Array(length);
  let state = seed * 2654435761;
  for (let at = 0; at < length; at++) {
    state = (Math.imul(state ^ (state >>> 15), 2246822519) + 3266489917) | 0;
    made[at] = (state >>> 8) / (1 << 22) - 2;
  }
  return made;
}
