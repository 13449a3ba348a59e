// Steps that are undone when they make a NaN or an infinity. In: an entry that says where it made one, what it said. Out: an error that
// names the line. Holds: variables that the entry writes are then what they were before, those without a value included.
import type { EntrySpec, TrapPlace, TrapSpec } from './abi/manifest.js';
import { type TypedArray, allocate } from './element.js';
import { TfcError } from './error.js';
import { type Handle, type Native, translating } from './native.js';
import { type Variables, elementCount } from './variables.js';

interface Kept {
  readonly at: number;
  readonly copy: TypedArray;
}

export class Guard {
  readonly #entry: EntrySpec;
  readonly #trap: TrapSpec;
  readonly #cell: TypedArray;
  readonly #native: Native;
  readonly #session: Handle<'session'>;
  readonly #kept: readonly Kept[];

  /** `cell`: where the entry says what it found. */
  constructor(native: Native, session: Handle<'session'>, variables: Variables, entry: EntrySpec, trap: TrapSpec, cell: TypedArray) {
    this.#native = native;
    this.#session = session;
    this.#entry = entry;
    this.#trap = trap;
    this.#cell = cell;
    this.#kept = entry.writes.map((at) => {
      const spec = variables.spec(at);
      return { at, copy: allocate(spec.dtype, elementCount(spec)) };
    });
  }

  /** Before a step. */
  remember(): void {
    for (const { at, copy } of this.#kept) translating(() => this.#native.readVariable(this.#session, at, copy));
  }

  /** After it. @throws TfcError not-finite, when the variables are back. */
  requireFinite(): void {
    const found = Number(this.#cell[0]);
    if (found === this.#trap.nothing) return;
    for (const { at, copy } of this.#kept) translating(() => this.#native.writeVariable(this.#session, at, copy));
    const place = this.#trap.places[found >> 1];
    const value = found % 2 === 1 ? 'NaN' : 'an infinity';
    if (place === undefined)
      throw new TfcError('bad-artifact', `${this.#entry.name} names place ${found >> 1}, which its manifest has not.`);
    throw new TfcError('not-finite', messageOf(this.#entry.name, place, value), {
      actual: value,
      ...(this.#kept.length === 0 ? {} : { hint: 'Variables are what they were before this step.' }),
      ...(place.kind === 'op' ? {} : { [place.kind]: place.of }),
    });
  }
}

function messageOf(entry: string, { kind, of, text = of, at, scope, backward }: TrapPlace, value: string): string {
  if (kind !== 'op') return `${entry}: ${kind} ${of} holds ${value}.`;
  const what = backward === true ? `the derivative of \`${text}\` (${of})` : text === of ? `\`${of}\`` : `\`${text}\` (${of})`;
  const where = at === undefined ? '' : ` at ${at}${scope === undefined ? '' : `, in ${scope},`}`;
  return `${entry}: ${what}${where} made ${value} ${value === 'NaN' ? 'where its operands have none' : 'of finite numbers'}.`;
}
