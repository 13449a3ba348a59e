// Text from outside on its way to people. In: any text: names of files, pieces of programs, cells of tables. Out: the same, with what would
// steer a terminal or hide from the eye spelled out.
// Holds: what comes out has no control, format or separator characters and no half of a surrogate pair (C0, DEL, C1, overrides of
// direction, zero width, byte order mark, U+2028, U+2029); each is written `\uXXXX`, as JSON has it, so JSON stays JSON of the same value.

const escaped = (found: string): string =>
  Array.from({ length: found.length }, (_, at) => `\\u${found.charCodeAt(at).toString(16).padStart(4, '0')}`).join('');

/** One line. */
export const printable = (text: string): string => text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, escaped);

/** Text whose line ends and tabs are meant. */
export const printableLines = (text: string): string =>
  /^[\n\t\x20-\x7e]*$/.test(text) ? text : text.replace(/[^\P{Cc}\n\t]|[\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, escaped);
