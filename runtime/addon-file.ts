// Where native addons lie. In: the name of one. Out: its path. Holds: what set-up built in this checkout comes first, then the package of
// this platform, which has it ready; nothing is taken from where somebody happens to work.
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { findAbove, here, packageAround } from './here.js';

/** Packages that have them, without the platform. */
const packages = { runtime: '@tdsl/runtime', llvm: '@tdsl/compiler' } as const;

export const platform = `${process.platform}-${process.arch}`;

/**
 * `build/NAME.node` of the checkout that this file lies in, the file of the platform's package, or that of a checkout which is installed by
 * its path; undefined when none is there.
 */
export function addonFile(name: keyof typeof packages): string | undefined {
  // This file's own package, or that of a program it was bundled into.
  const built = join(packageAround(here()), 'build', `${name}.node`);
  if (existsSync(built)) return built;
  return fileOfPackage(`${packages[name]}-${platform}`, `${name}.node`) ?? fileOfPackage('@tdsl/tfc', join('build', `${name}.node`));
}

/** A file of an installed package, as Node finds it from here or from the program that runs. */
export function fileOfPackage(name: string, file: string): string | undefined {
  const path = join('node_modules', name, file);
  const program = process.argv[1];
  return findAbove(here(), path) ?? (program === undefined ? undefined : findAbove(dirname(resolve(program)), path));
}
