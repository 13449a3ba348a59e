// What the build has worked out beforehand. In: names. Out: choices of the parser and trees of files that come with the package, as JSON,
// or nothing.
// Holds: compiled on its own this file knows nothing, and everything is worked out when it is needed; the bundle has another in its place.

/** Tables for `prepare`. */
export const preparedLookaheads = (): string | undefined => undefined;

/** The tree of a file without mistakes. */
export const preparedTree = (_path: string): string | undefined => undefined;
