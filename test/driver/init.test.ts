// `tfc init` where something lies already. In: directories with and without a `package.json`. Out: projects that depend on the tfc that
// made them, with what the user had. What projects do is tried in `test/setup/packages.test.ts`.

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { jsonLines, root, workplace } from './tfc.js';

const place = workplace();

interface Manifest {
  readonly name?: string;
  readonly type?: string;
  readonly scripts?: Record<string, string>;
  readonly dependencies?: Record<string, string>;
  readonly devDependencies?: Record<string, string>;
}

const manifestOf = (directory: string): Manifest =>
  JSON.parse(readFileSync(join(place.directory, directory, 'package.json'), 'utf8')) as Manifest;

function folder(name: string, manifest: string): string {
  mkdirSync(join(place.directory, name), { recursive: true });
  writeFileSync(join(place.directory, name, 'package.json'), manifest);
  return name;
}

describe('tfc init', () => {
  it('depends on the checkout whose tfc made the project, wherever that lies', () => {
    expect(place.tfc('init', 'regression', '--dir', 'a/My Model').out).toContain('Next: cd a/My Model; npm install');
    const { name, dependencies } = manifestOf('a/My Model');
    expect(name).toBe('my-model');
    expect(dependencies).toEqual({ '@tdsl/tfc': `file:${relative(join(place.directory, 'a', 'My Model'), root)}` });
  });

  it('adds to a package.json, and changes nothing in it', () => {
    const own = {
      name: 'mine',
      version: '3.0.0',
      scripts: { test: 'true' },
      dependencies: { '@tdsl/tfc': 'file:../tfc.tgz', left: '1.0.0' },
      devDependencies: { typescript: '6.0.3' },
    };
    const outcome = place.tfc('init', '--dir', folder('mine', JSON.stringify(own)), '--json');
    expect(jsonLines(outcome)).toEqual([
      { template: 'moons', files: expect.arrayContaining(['mine/package.json', 'mine/model.tdsl']) as unknown },
    ]);
    const made = manifestOf('mine');
    expect(made).toMatchObject({ ...own, type: 'module' });
    expect(Object.keys(made.scripts ?? {}).sort()).toEqual(['check', 'curves', 'start', 'test', 'train']);
    expect(made.dependencies).toEqual(own.dependencies);
    expect(Object.keys(made.devDependencies ?? {}).sort()).toEqual(['@types/node', 'typescript']);
  });

  it.each([
    ['has no modules', '{ "type": "commonjs" }', '"type": "commonjs", and the program is a module'],
    ['has such a script', '{ "scripts": { "start": "node server.js" } }', 'a script of its own that is called start'],
    ['is damaged', '{ "name": ', 'something that is no JSON'],
    ['is a list', '[1]', 'no object'],
  ])('writes nothing where package.json %s', (what, text, said) => {
    const name = folder(what.replaceAll(' ', '-'), text);
    const { status, err } = place.tfc('init', '--dir', name);
    expect(status).toBe(1);
    expect(err).toContain(`error[file-not-written]: ${name}/package.json has ${said}; nothing was written`);
    expect(readdirSync(join(place.directory, name))).toEqual(['package.json']);
    expect(readFileSync(join(place.directory, name, 'package.json'), 'utf8')).toBe(text);
  });

  it('writes nothing over what lies there', () => {
    mkdirSync(join(place.directory, 'full'));
    writeFileSync(join(place.directory, 'full', 'model.tdsl'), 'mine');
    const { status, err } = place.tfc('init', '--dir', 'full');
    expect(status).toBe(1);
    expect(err).toContain('full has model.tdsl already; nothing was written');
    expect(readdirSync(join(place.directory, 'full'))).toEqual(['model.tdsl']);
  });
});
