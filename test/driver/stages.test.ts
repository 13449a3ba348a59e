// What a terminal shows while a program compiles. In: made-up clocks, a file in the place of a terminal, programs. Out: what was written.

import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { llvm } from '../../codegen/llvm/index.js';
import { buildInto } from '../../src/driver/build/build.js';
import { emit } from '../../src/driver/build/emit.js';
import { toMachine } from '../../src/driver/build/pipeline.js';
import { StageLine } from '../../src/driver/build/stage-line.js';
import { targetFor } from '../../src/driver/build/target.js';
import { watchStages } from '../../src/driver/build/watch-stages.js';
import { root, workplace } from './tfc.js';

const directory = mkdtempSync(join(tmpdir(), 'tfc-stages-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const moons = join(root, 'examples', 'moons', 'moons.tdsl');

describe('the line of a stage', () => {
  it('appears after two seconds, and is drawn again only when it says something else', () => {
    const written: string[] = [];
    let now = 0;
    const line = new StageLine(
      (text) => written.push(text),
      () => now,
      2000,
    );
    const at = (time: number): boolean => ((now = time), line.draw());
    expect(at(5000)).toBe(false);
    line.begin('check');
    expect([at(0), at(1999)]).toEqual([false, false]);
    line.begin('lower');
    expect([at(2000), at(2100), at(2999)]).toEqual([true, true, true]);
    line.begin('code generation');
    at(2999);
    at(75_500);
    expect(written).toEqual(['\r\x1b[Klower … 2 s', '\r\x1b[Kcode generation … 2 s', '\r\x1b[Kcode generation … 1 min 15 s']);
  });
});

describe('a watch', () => {
  /** Blocks this thread, as compiling does, until the terminal shows the text. */
  function waitFor(path: string, text: string): void {
    const sleeping = new Int32Array(new SharedArrayBuffer(4));
    for (let left = 1000; !readFileSync(path, 'utf8').includes(text); left -= 1) {
      if (left === 0) throw new Error(`no ${text} in ${JSON.stringify(readFileSync(path, 'utf8'))}`);
      Atomics.wait(sleeping, 0, 0, 20);
    }
  }

  it('draws while the thread that compiles is busy, and erases the line when it stops', () => {
    const path = join(directory, 'terminal');
    const file = openSync(path, 'w');
    const watch = watchStages(file, 0);
    watch.begin('lower');
    waitFor(path, 'lower …');
    watch.begin('code generation');
    waitFor(path, 'code generation …');
    watch.stop();
    const shown = readFileSync(path, 'utf8');
    expect(shown.endsWith('\r\x1b[K')).toBe(true);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 250);
    expect(readFileSync(path, 'utf8')).toBe(shown);
    closeSync(file);
  });

  it('says nothing of what is compiled soon', () => {
    const path = join(directory, 'quiet');
    const file = openSync(path, 'w');
    const watch = watchStages(file);
    for (const stage of ['check', 'lower']) watch.begin(stage);
    watch.stop();
    expect(readFileSync(path, 'utf8')).toBe('');
    closeSync(file);
  });
});

describe('compiling', () => {
  it('tells every stage when it begins', () => {
    const request = { path: moons, set: {}, cpu: 'native' };
    const begun: string[] = [];
    buildInto(request, join(directory, 'out'), new Map(), (stage) => begun.push(stage));
    expect(begun).toEqual([
      'check',
      ...toMachine(targetFor('native', llvm), llvm.passes).passes.map(({ name }) => name),
      'code generation',
    ]);
    expect(begun).toContain('schedule');
    const asked: string[] = [];
    emit(request, 'simplified', new Map(), (stage) => asked.push(stage));
    expect(asked).toEqual(['check', 'differentiate', 'strip', 'checks', 'simplify']);
  });

  const { tfc } = workplace();

  it('draws nothing where standard error is no terminal', () => {
    expect(tfc('compile', moons, '-o', join(directory, 'artifact')).err).toBe('');
    expect(tfc('run', moons, 'probability', '--feed', 'X=[[1, 2]]').err).toBe('');
  });
});
