// Values of callers in messages. In: anything. Out: short text. Holds: no code of the caller's runs for it, but a proxy's.

/** `"seven"`, `1.5`, `null`, `an array`, `an object`, `a function`. */
export function shown(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value.length > longest ? `${value.slice(0, longest)}…` : value);
    case 'number':
      return Object.is(value, -0) ? '-0' : String(value);
    case 'bigint':
    case 'boolean':
    case 'undefined':
    case 'symbol':
      return String(value);
    case 'function':
      return 'a function';
    case 'object':
      return value === null ? 'null' : isArray(value) ? 'an array' : 'an object';
  }
}

function isArray(value: object): boolean {
  try {
    return Array.isArray(value);
  } catch {
    // A proxy that was revoked does not even say that.
    return false;
  }
}

/** Characters of a text that are shown. */
const longest = 80;

/** `an Int32Array`, `a Uint8Array`: U is spoken as in "unit". */
export const withArticle = (name: string): string => `${/^[AEIO]/.test(name) ? 'an' : 'a'} ${name}`;
