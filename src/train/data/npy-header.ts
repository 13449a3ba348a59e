// The header of a .npy file (NumPy's format description, versions 1 to 3). In: the file's first bytes. Out: what it says about the
// elements. Holds: the text is a dictionary of Python literals with exactly the three members that NumPy writes, no longer than NumPy
// reads; what Python takes beyond (sums, comments, escapes) no writer uses, and is refused.

/** A tuple is an array. Lists stand nowhere but in the description of records. */
type Literal = string | boolean | number | null | readonly Literal[] | { readonly list: readonly Literal[] } | ReadonlyMap<string, Literal>;

export interface NpyHeader {
  /** As NumPy writes it: `<f4`; undefined for records, which have fields. */
  readonly descr: string | undefined;
  readonly isFortran: boolean;
  readonly shape: readonly number[];
}

/** What is wrong with a header. */
export class HeaderMistake extends Error {}

/** NumPy reads no longer text. */
const longestText = 10_000;

/** The length of the text and where it starts, from the first 12 bytes (or what the file has). @throws HeaderMistake */
export function headerPlace(bytes: Buffer): { readonly start: number; readonly length: number; readonly version: number } {
  if (bytes.length < 6 || bytes.toString('latin1', 0, 6) !== '\x93NUMPY') throw new HeaderMistake('not a NumPy array file');
  const [version = 0, minor = 0] = bytes.subarray(6);
  if (bytes.length < 10 || (version > 1 && bytes.length < 12)) throw new HeaderMistake('truncated');
  if (version < 1 || version > 3 || minor !== 0)
    throw new HeaderMistake(`version ${version}.${minor} of the format; there are 1.0, 2.0 and 3.0`);
  const [start, length] = version === 1 ? [10, bytes.readUInt16LE(8)] : [12, bytes.readUInt32LE(8)];
  // A character takes up to four bytes.
  if (length > 4 * longestText) throw new HeaderMistake(`malformed: a header of ${length} bytes`);
  return { start, length, version };
}

/** @throws HeaderMistake */
export function parseHeader(bytes: Buffer, version: number): NpyHeader {
  const text = version < 3 ? bytes.toString('latin1') : bytes.toString('utf8');
  if (text.length > longestText) throw new HeaderMistake(`malformed: a header of ${text.length} characters`);
  const header = new Literals(text, version < 3).whole();
  if (!(header instanceof Map)) throw new HeaderMistake('malformed header: no dictionary');
  const names = [...(header as ReadonlyMap<string, Literal>).keys()].sort().join(', ');
  if (names !== 'descr, fortran_order, shape')
    throw new HeaderMistake(`malformed header: it has ${names === '' ? 'nothing' : names} in place of descr, fortran_order and shape`);
  const { descr, fortran_order: isFortran, shape } = Object.fromEntries(header) as Readonly<Record<string, Literal>>;
  if (typeof isFortran !== 'boolean') throw new HeaderMistake('malformed header: fortran_order is neither True nor False');
  if (!Array.isArray(shape) || !shape.every((size) => Number.isSafeInteger(size) && size >= 0))
    throw new HeaderMistake(`malformed header: ${shown(shape)} is no shape`);
  if (typeof descr !== 'string' && !isList(descr) && !Array.isArray(descr))
    throw new HeaderMistake(`malformed header: ${shown(descr)} is no element type`);
  return { descr: typeof descr === 'string' ? descr : undefined, isFortran, shape };
}

const isList = (literal: Literal | undefined): literal is { readonly list: readonly Literal[] } =>
  typeof literal === 'object' && literal !== null && 'list' in literal;

function shown(literal: Literal | undefined): string {
  if (isList(literal)) return `[${literal.list.map(shown).join(', ')}]`;
  if (Array.isArray(literal)) return `(${literal.map(shown).join(', ')})`;
  return literal instanceof Map ? 'a dictionary' : String(literal);
}

/** Reads Python literals: strings, whole numbers, True, False, None, tuples, lists, dictionaries with strings as keys. */
class Literals {
  readonly #text: string;
  /** Whether integers may end with L, as Python 2 wrote them. */
  readonly #isLong: boolean;
  #at = 0;

  constructor(text: string, isLong: boolean) {
    this.#text = text;
    this.#isLong = isLong;
  }

  whole(): Literal {
    const literal = this.#literal(0);
    if (this.#next() !== '') throw this.#mistake();
    return literal;
  }

  #literal(depth: number): Literal {
    // Records of records; deeper than this is no description of elements.
    if (depth > 32) throw this.#mistake();
    const first = this.#next();
    if (first === '{') return this.#dictionary(depth);
    if (first === '[') return { list: this.#items(']', depth).items };
    if (first === '(') {
      const { items, commas } = this.#items(')', depth);
      const [only] = items;
      // Parentheses around one value without a comma are no tuple.
      return items.length === 1 && commas === 0 && only !== undefined ? only : items;
    }
    const token = this.#token(/u?(?:'([^'\\\r\n]*)'|"([^"\\\r\n]*)")/y);
    if (token !== undefined) return token[1] ?? token[2] ?? '';
    const [word] = this.#token(/[A-Za-z]+/y) ?? [];
    if (word !== undefined) {
      if (word === 'True' || word === 'False') return word === 'True';
      if (word === 'None') return null;
      throw this.#mistake();
    }
    const number = this.#token(this.#isLong ? /(-?(?:0|[1-9]\d*))L?(?![\w.])/y : /(-?(?:0|[1-9]\d*))(?![\w.])/y);
    if (number === undefined) throw this.#mistake();
    return Number(number[1]);
  }

  #dictionary(depth: number): ReadonlyMap<string, Literal> {
    const members = new Map<string, Literal>();
    this.#skip('{');
    while (!this.#skip('}')) {
      const name = this.#literal(depth + 1);
      if (typeof name !== 'string' || members.has(name) || !this.#skip(':')) throw this.#mistake();
      members.set(name, this.#literal(depth + 1));
      if (!this.#skip(',') && this.#next() !== '}') throw this.#mistake();
    }
    return members;
  }

  #items(end: ')' | ']', depth: number): { readonly items: readonly Literal[]; readonly commas: number } {
    const items: Literal[] = [];
    let commas = 0;
    this.#at += 1;
    while (!this.#skip(end)) {
      items.push(this.#literal(depth + 1));
      if (this.#skip(',')) commas += 1;
      else if (this.#next() !== end) throw this.#mistake();
    }
    return { items, commas };
  }

  /** The next character, behind white space; '' at the end. */
  #next(): string {
    while (' \t\n\r\f'.includes(this.#text[this.#at] ?? '-')) this.#at += 1;
    return this.#text[this.#at] ?? '';
  }

  #skip(char: string): boolean {
    if (this.#next() !== char) return false;
    this.#at += 1;
    return true;
  }

  #token(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text) ?? undefined;
    if (found !== undefined) this.#at = pattern.lastIndex;
    return found;
  }

  #mistake(): HeaderMistake {
    return new HeaderMistake(
      `malformed header: at character ${this.#at + 1}, ${JSON.stringify(this.#text.slice(this.#at, this.#at + 20))}`,
    );
  }
}
