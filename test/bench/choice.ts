// What is measured of all that there is. In: parts of names. Out: those that are meant. Holds: a whole name means only itself; no part
// means all.

export function chosen<One extends { readonly name: string }>(all: readonly One[], only: readonly string[]): readonly One[] {
  const isMeant = (name: string, part: string): boolean => (all.some((one) => one.name === part) ? name === part : name.includes(part));
  return all.filter(({ name }) => only.length === 0 || only.some((part) => isMeant(name, part)));
}
