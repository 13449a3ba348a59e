// Where the shared memory of a kernel lies: what is used after another may lie in its place. In: a kernel's statements. Out: a place for
// each declaration, and how many bytes that makes. Holds: places of what is in use together do not overlap; the schedule has a barrier
// between the last use of the one and the first of the other.

import { bytesOf } from '../../src/base/index.js';
import {
  type Buffer,
  bodiesOf,
  type ExpressionCache,
  forEachStatement,
  isSwizzled,
  type Stmt,
  swizzledBytes,
  swizzledLines,
} from '../../src/kernel/index.js';

/** What a place is a multiple of: the longest access, or lines that are mixed alike. */
const alignmentOf = (buffer: Buffer): number => (isSwizzled(buffer) ? swizzledBytes * swizzledLines : 16);

export interface SharedLayout {
  /** Bytes from the start, by name. */
  readonly offsets: ReadonlyMap<string, number>;
  readonly bytes: number;
  /** What the start is a multiple of. */
  readonly alignment: number;
}

interface Used {
  readonly start: number;
  readonly end: number;
}

export function layoutShared(body: readonly Stmt[], cache: ExpressionCache): SharedLayout {
  const offsets = new Map<string, number>();
  let [bytes, alignment] = [0, 16];
  const visit = (stmts: readonly Stmt[], around: readonly Used[]): void => {
    let own: { readonly used: Used; readonly last: number }[] = [];
    for (const [at, stmt] of stmts.entries()) {
      own = own.filter(({ last }) => last >= at);
      const inUse = [...around, ...own.map(({ used }) => used)];
      for (const inner of bodiesOf(stmt)) visit(inner, inUse);
      if (stmt.kind !== 'share') continue;
      const start = firstGap(inUse, bytesOfShared(stmt.buffer), alignmentOf(stmt.buffer));
      alignment = Math.max(alignment, alignmentOf(stmt.buffer));
      const used = { start, end: start + bytesOfShared(stmt.buffer) };
      offsets.set(stmt.buffer.name, start);
      bytes = Math.max(bytes, used.end);
      own.push({ used, last: stmts.findLastIndex((one) => mentions(one, stmt.buffer, cache)) });
    }
  };
  visit(body, []);
  return { offsets, bytes, alignment };
}

const bytesOfShared = ({ dtype, shape }: Buffer): number => shape.reduce((product, size) => product * (size.constant ?? 0), bytesOf(dtype));

function firstGap(inUse: readonly Used[], bytes: number, alignment: number): number {
  let start = 0;
  for (const used of inUse.toSorted((a, b) => a.start - b.start)) {
    if (start + bytes <= used.start) break;
    start = Math.max(start, Math.ceil(used.end / alignment) * alignment);
  }
  return start;
}

function mentions(stmt: Stmt, buffer: Buffer, cache: ExpressionCache): boolean {
  const { name } = buffer;
  let found = false;
  forEachStatement([stmt], (one) => {
    if (one.kind === 'store') found ||= one.buffer.name === name;
    else if (one.kind === 'copy') found ||= one.to.name === name;
    // Until then products read what is swizzled.
    else if (one.kind === 'settle') found ||= isSwizzled(buffer);
    else if (one.kind === 'multiply') found ||= ('buffer' in one.left && one.left.buffer.name === name) || one.right.buffer.name === name;
    found ||= cache.of(one).some((part) => part.kind === 'load' && part.buffer.name === name);
  });
  return found;
}
