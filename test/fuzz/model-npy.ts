// What NumPy takes for an array file. In: bytes. Out: refused, or the array. Holds: written after NumPy's description of the format
// (numpy.lib.format) and the grammar of Python's literals, not after the reader under test; whatever it does not know is refused, since a
// header that Python would not read in this form does not come from NumPy.

export interface ModelArray {
  readonly descr: string;
  readonly fortran: boolean;
  readonly shape: readonly number[];
  /** Where the data begins. */
  readonly start: number;
  readonly data: Uint8Array;
}

/** Undefined: NumPy refuses it. */
export function modelNpy(bytes: Uint8Array): ModelArray | undefined {
  const file = Buffer.from(bytes);
  if (file.toString('latin1', 0, 6) !== '\x93NUMPY' || file.length < 10) return undefined;
  const [major, minor] = [file[6] as number, file[7] as number];
  if (major < 1 || major > 3 || minor !== 0) return undefined;
  const start = major === 1 ? 10 : 12;
  if (file.length < start) return undefined;
  const length = major === 1 ? file.readUInt16LE(8) : file.readUInt32LE(8);
  if (length > 10_000 || start + length > file.length) return undefined;
  const raw = file.subarray(start, start + length);
  let text: string;
  try {
    text = major === 3 ? new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(raw) : raw.toString('latin1');
  } catch {
    return undefined;
  }
  const header = headerOf(text);
  if (header === undefined) return undefined;
  const width = /^[<>|=]?[a-zA-Z]\d+$/.test(header.descr) ? Number(header.descr.replace(/^\D+/, '')) * (/U/.test(header.descr) ? 4 : 1) : 0;
  const count = header.shape.reduce((product, size) => product * BigInt(size), 1n);
  const data = file.subarray(start + length);
  // More bytes than promised are no matter to NumPy; a stream goes on.
  if (count * BigInt(width) > BigInt(data.length)) return undefined;
  return { ...header, shape: header.shape.map(Number), start: start + length, data: data.subarray(0, Number(count) * width) };
}

/** Python's tokens, as far as such a header may have them. */
function headerOf(text: string): { descr: string; fortran: boolean; shape: bigint[] } | undefined {
  const tokens: string[] = [];
  const token =
    /[ \t\n\f\r]+|#[^\n]*|u?(?:'(?:[^'\\\n])*'|"(?:[^"\\\n])*")|0[xX](?:_?[0-9a-fA-F])+|0[oO](?:_?[0-7])+|0[bB](?:_?[01])+|[1-9](?:_?\d)*|0(?:_?0)*(?![\d_])|True|False|[-+{}():,]/y;
  for (let at = 0; at < text.length; at = token.lastIndex) {
    token.lastIndex = at;
    const match = token.exec(text);
    if (match === null) return undefined;
    if (!/^[\s#]/.test(match[0])) tokens.push(match[0]);
  }
  // Indented, it is no expression: NumPy's reader does not strip what stands before.
  let at = 0;
  const take = (what: string): boolean => tokens[at] === what && (at++, true);
  const string = (): string | undefined => {
    let value: string | undefined;
    // What NumPy wrote under Python 2 says of strings that they are Unicode's.
    while (/^u?['"]/.test(tokens[at] ?? '')) value = (value ?? '') + (tokens[at++] as string).replace(/^u/, '').slice(1, -1);
    return value;
  };
  const integer = (): bigint | undefined => {
    const one = tokens[at] ?? '';
    if (one === 'True' || one === 'False') return (at++, one === 'True' ? 1n : 0n);
    const sign = one === '-' || one === '+' ? (at++, one) : '';
    const digits = tokens[at] ?? '';
    if (!/^\d/.test(digits)) return undefined;
    at++;
    const value = BigInt(digits.replaceAll('_', '').toLowerCase());
    return sign === '-' ? -value : value;
  };
  const tuple = (): bigint[] | undefined => {
    if (!take('(')) return undefined;
    const sizes: bigint[] = [];
    while (!take(')')) {
      const size = integer();
      if (size === undefined || size < 0n) return undefined;
      sizes.push(size);
      // Without a comma, parentheses hold one number and are no tuple.
      if (!take(',') && (tokens[at] !== ')' || sizes.length === 1)) return undefined;
    }
    return sizes;
  };
  const found: { descr?: string; fortran?: boolean; shape?: bigint[] } = {};
  if (!take('{')) return undefined;
  while (!take('}')) {
    const key = string();
    if (key === undefined || !take(':')) return undefined;
    // A key that comes again has its last value.
    if (key === 'descr') {
      const value = string();
      if (value === undefined) return undefined;
      found.descr = value;
    } else if (key === 'fortran_order') {
      if (tokens[at] !== 'True' && tokens[at] !== 'False') return undefined;
      found.fortran = tokens[at++] === 'True';
    } else if (key === 'shape') {
      const value = tuple();
      if (value === undefined) return undefined;
      found.shape = value;
    } else return undefined;
    if (!take(',') && tokens[at] !== '}') return undefined;
  }
  const { descr, fortran, shape } = found;
  return at === tokens.length && descr !== undefined && fortran !== undefined && shape !== undefined
    ? { descr, fortran, shape }
    : undefined;
}
