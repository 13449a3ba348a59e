// Numbers as people write them. In: a cell of a table. Out: its number, or undefined for text. Holds: decimal notation, and NaN and
// infinities in every case, as Python's float takes them; hexadecimal numbers and such are text.

const decimal = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const special = /^([+-]?)(nan|inf|infinity)$/i;

export function numberOf(cell: string): number | undefined {
  if (decimal.test(cell)) return Number(cell);
  const [, sign, word] = special.exec(cell) ?? [];
  return word === undefined ? undefined : word.toLowerCase() === 'nan' ? Number.NaN : sign === '-' ? -Infinity : Infinity;
}

/** Whether what was read as an infinity was written as a number. */
export const isBeyondRange = (cell: string, number: number): boolean => Math.abs(number) === Infinity && decimal.test(cell);

export const shortened = (cell: string): string => (cell.length > 40 ? `${cell.slice(0, 40)}…` : cell);

/** What stands for a missing value in other programs' tables. */
export const missingHint = (cell: string): string | undefined =>
  /^(?:na|n\/a|null|none|-|\?)$/i.test(cell) ? 'Leave cells without a value empty.' : undefined;
