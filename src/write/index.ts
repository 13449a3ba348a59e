// Graphs back to TDSL.

export { type FunctionToWrite, writeFunction, type WrittenParameter } from './function-text.js';
export { nameOf, partsOf, shortNames } from './names.js';
