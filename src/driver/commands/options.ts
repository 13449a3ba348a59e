// Values of options. In: what stands on the command line. Out: numbers and names. Holds: what makes no sense is wrong usage, not a mistake in a program.

/** Wrong usage that the argument parser cannot see. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** `Name=4` pairs of `--set`. */
export function parseSet(pairs: readonly string[]): Record<string, number> {
  const set = new Map<string, number>();
  for (const pair of pairs) {
    const match = /^([A-Za-z_]\w*)=(\d+)$/.exec(pair);
    const value = Number(match?.[2]);
    if (match === null || !Number.isSafeInteger(value)) throw new UsageError(`--set takes Name=N with a whole number, e.g. --set Hidden=512; got ${JSON.stringify(pair)}`);
    set.set(match[1] as string, value);
  }
  return Object.fromEntries(set);
}

/** A whole number of at least `least`. */
export function parseCount(text: string, option: string, least: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < least) throw new UsageError(`${option} takes a whole number of at least ${least}; got ${JSON.stringify(text)}`);
  return value;
}

/** Collects the values of an option that may be given several times. */
export const collect = (value: string, before: readonly string[]): string[] => [...before, value];
