// Names as callers type them. In: names, objects whose members are named. Out: the same in composed form (Unicode's NFC), which is how
// programs have theirs. Holds: what is composed already, as names of ASCII are, is given back as it is.
import { TfcError } from './error.js';

/** All of ASCII. */
const isPlain = (name: string): boolean => /^[\x00-\x7f]*$/.test(name);

/** One name however its letters were typed: `é` as one character, or as `e` with an accent. */
export const composed = (name: string): string => (isPlain(name) ? name : name.normalize());

/** An object with its members by composed names. @throws TfcError bad-data for one that has two spellings of a name. */
export function composedMembers<Members extends Readonly<Record<string, unknown>>>(given: Members): Members {
  if (Object.keys(given).every((name) => composed(name) === name)) return given;
  const members = new Map<string, unknown>();
  for (const [name, member] of Object.entries(given)) {
    const own = composed(name);
    if (members.has(own)) throw new TfcError('bad-data', `${own} is given twice, in two spellings.`);
    members.set(own, member);
  }
  return Object.fromEntries(members) as Members;
}
