// A program as a module of Node's. In: its path. Out: JavaScript that opens it.

/** `require` and not `import`: whoever requires the program must not get another one. */
export const moduleText = (path: string, api: string): string => `import { createRequire } from 'node:module';
const require = createRequire(${JSON.stringify(api)});
const program = require(${JSON.stringify(path)});
export default program.default;
`;

/** Without a query, which would be another module of the same program. */
export const isProgram = (url: string): boolean => url.startsWith('file:') && /\.tdsl(?:\?.*)?$/.test(url);
