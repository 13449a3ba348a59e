// Paths of variables as a tree. In: paths. Out: objects whose members are the parts of paths. Holds: what is at the end of a path is the
// path itself, so a wrong part is undefined, and in TypeScript an error; a path that goes on where another one ends is in no tree.

/** `net/hidden1/w` is `tree.net.hidden1.w`, `relus/0/w` is `tree.relus[0].w`. */
export function pathTree(paths: readonly string[]): object {
  const root: Branch = Object.create(null) as Branch;
  for (const path of paths) {
    const parts = path.split('/');
    const last = parts.pop() as string;
    let branch: Branch | undefined = root;
    for (const part of parts) {
      const next: Branch | string = (branch[part] ??= Object.create(null) as Branch);
      if (typeof next === 'string') {
        branch = undefined;
        break;
      }
      branch = next;
    }
    if (branch !== undefined) branch[last] ??= path;
  }
  return root;
}

interface Branch {
  [part: string]: Branch | string;
}
