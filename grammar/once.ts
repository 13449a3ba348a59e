// Things that take long to build. In: how to build one. Out: a function that gives always the same one.
// Holds: nothing is built before it is asked for.

/** `make` is called at the first call, and never again. */
export function once<T extends object>(make: () => T): () => T {
  let made: T | null = null;
  return () => (made ??= make());
}
