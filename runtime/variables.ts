// The variables of one session. In: paths and values. Out: values, and which variables have one. Holds: a variable that was never given a
// value cannot be read; values are copies.
import type { EntrySpec, VariableSpec } from './abi/manifest.js';
import { convert } from './convert.js';
import { type TypedArray, allocate, elementValue, elements } from './element.js';
import { TfcError, reading, suggestion } from './error.js';
import { composed } from './names.js';
import { type Handle, type Native, translating } from './native.js';
import { specToString } from './size.js';
import { Tensor } from './tensor.js';

export class Variables {
  readonly specs: readonly VariableSpec[];
  readonly #native: Native;
  readonly #session: Handle<'session'>;
  readonly #positions: ReadonlyMap<string, number>;
  readonly #initialized: Uint8Array;

  constructor(native: Native, session: Handle<'session'>, specs: readonly VariableSpec[]) {
    this.specs = specs;
    this.#native = native;
    this.#session = session;
    this.#positions = new Map(specs.map((spec, at) => [spec.path, at]));
    this.#initialized = new Uint8Array(specs.length);
  }

  /** How the native half keeps it: number of rows, bytes of one, bytes from one to the next. */
  static rows(spec: VariableSpec): readonly [count: number, bytes: number, pitch: number] {
    const width = elements[spec.dtype].bytes;
    const all = elementCount(spec) * width;
    const last = spec.shape.at(-1) ?? 0;
    return spec.pitch === undefined || all === 0 ? [1, all, all] : [elementCount(spec) / last, last * width, spec.pitch * width];
  }

  /** @throws TfcError unknown-variable; invalid-value for what is no path, as when an entry has the name of a session's own method. */
  position(path: string): number {
    const at = this.#positions.get(path) ?? (typeof path === 'string' ? this.#positions.get(composed(path)) : undefined);
    if (at !== undefined) return at;
    if (typeof path !== 'string')
      throw new TfcError('invalid-value', 'The path of a variable is a string.', {
        hint: 'An entry that is called like a method of the session is run by session.run(name, feeds).',
      });
    const hint = suggestion(path, [...this.#positions.keys()]);
    throw new TfcError('unknown-variable', `The module has no variable ${path}.`, {
      variable: path,
      ...(hint === undefined ? {} : { hint }),
    });
  }

  spec(at: number): VariableSpec {
    const spec = this.specs[at];
    if (spec === undefined) throw new TfcError('unknown-variable', `The module has ${this.specs.length} variables, and none at ${at}.`);
    return spec;
  }

  has(path: string): boolean {
    return this.#positions.has(composed(path));
  }

  isInitialized(at: number): boolean {
    return this.#initialized[at] === 1;
  }

  markInitialized(at: number): void {
    this.#initialized[at] = 1;
  }

  /** @throws TfcError uninitialized-variable that names the first variable that `entry` reads before it has a value. */
  requireFor(entry: EntrySpec): void {
    const missing = entry.reads.filter((at) => !this.isInitialized(at)).map((at) => this.spec(at).path);
    const [first] = missing;
    if (first === undefined) return;
    const others =
      missing.length === 1 ? '' : ` (and ${missing.length - 1} more: ${missing.slice(1, 6).join(', ')}${missing.length > 6 ? ', …' : ''})`;
    throw new TfcError('uninitialized-variable', `${entry.name} reads ${first}${others} before it has a value.`, {
      variable: first,
      hint: 'Give it one with session.set, session.initialize or session.restore, or declare an initial value.',
    });
  }

  /** The elements in row-major order, copied. */
  read(at: number): TypedArray {
    const spec = this.spec(at);
    const data = allocate(spec.dtype, elementCount(spec));
    translating(() => this.#native.readVariable(this.#session, at, data));
    return data;
  }

  write(at: number, data: TypedArray): void {
    translating(() => this.#native.writeVariable(this.#session, at, data));
    this.markInitialized(at);
  }

  /** Gives every element the value of the array's first. */
  fill(at: number, element: TypedArray): void {
    translating(() => this.#native.fillVariable(this.#session, at, element));
    this.markInitialized(at);
  }

  /** @throws TfcError unknown-variable, uninitialized-variable. */
  get(path: string): Tensor | number | bigint | boolean {
    const at = this.position(path);
    const spec = this.spec(at);
    if (!this.isInitialized(at)) {
      throw new TfcError('uninitialized-variable', `${path} has no value yet.`, {
        variable: path,
        hint: 'Give it one with session.set, session.initialize or session.restore.',
      });
    }
    const data = this.read(at);
    return spec.shape.length === 0 ? elementValue(spec.dtype, data, 0) : new Tensor(spec.dtype, spec.shape, data);
  }

  /** @throws TfcError unknown-variable, shape-mismatch, dtype-mismatch, bad-data. */
  set(path: string, value: unknown): void {
    const at = this.position(path);
    const spec = this.spec(at);
    const { data, shape } = reading(`The value of ${path}`, () =>
      convert({ kind: 'variable', name: path, dtype: spec.dtype, shape: spec.shape }, value),
    );
    const fits =
      shape === undefined
        ? data.length === elementCount(spec)
        : shape.length === spec.shape.length && shape.every((size, axis) => size === spec.shape[axis]);
    if (!fits) {
      const expected = specToString(spec.dtype, spec.shape);
      const actual = shape === undefined ? `${data.length} elements` : specToString(spec.dtype, shape);
      throw new TfcError('shape-mismatch', `Variable ${path} is ${expected}, not ${actual}.`, { variable: path, expected, actual });
    }
    this.write(at, data);
  }
}

export const elementCount = (spec: VariableSpec): number => spec.shape.reduce((total, size) => total * size, 1);
