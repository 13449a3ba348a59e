// A program as a module of Node's. In: its path. Out: JavaScript that opens it. Holds: the module runs in the thread that imports it, where
// `@tdsl/tfc/register` has left the function that opens programs, whichever thread made the text.

export type Opener = (path: string) => unknown;

/** Where in `globalThis` that function is. */
export const opener = Symbol.for('tfc.open');

export const moduleText = (path: string): string => `export default globalThis[Symbol.for('tfc.open')](${JSON.stringify(path)});\n`;

export const isProgram = (url: string): boolean => url.startsWith('file:') && /\.tdsl(?:\?.*)?$/.test(url);
