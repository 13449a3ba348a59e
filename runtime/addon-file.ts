// Where native addons lie. In: the name of one. Out: its path. Holds: what set-up built in this checkout comes first, then the package of
// this platform, which has it ready.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';

/** Packages that have them, without the platform. */
const packages = { runtime: '@tdsl/runtime', llvm: '@tdsl/compiler' } as const;

/** Undefined in a program that a bundler turned into CommonJS. */
const here = import.meta.dirname as string | undefined;

export const platform = `${process.platform}-${process.arch}`;

/** `build/NAME.node` of the checkout that this file lies in, or the file of the platform's package; undefined when neither is there. */
export function addonFile(name: keyof typeof packages): string | undefined {
  const built = here === undefined ? undefined : join(packageAround(here), 'build', `${name}.node`);
  return built !== undefined && existsSync(built) ? built : fileOfPackage(`${packages[name]}-${platform}/${name}.node`);
}

/** The nearest directory with a `package.json`, this file's own or that of a program it was bundled into. */
function packageAround(start: string): string {
  for (let directory = start; ; directory = dirname(directory))
    if (existsSync(join(directory, 'package.json')) || dirname(directory) === directory) return directory;
}

/** A file of a package, as it is found from here or from the program that runs; never from where somebody happens to work. */
export function fileOfPackage(path: string): string | undefined {
  const program = process.argv[1];
  for (const from of [here, program === undefined ? undefined : dirname(resolve(program))]) {
    if (from === undefined) continue;
    try {
      return createRequire(join(from, 'x')).resolve(path);
    } catch {
      // Not from here.
    }
  }
  return undefined;
}
