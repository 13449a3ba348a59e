// Defaults of a project, and what shells complete. In: configuration files, words of a command line. Out: what commands then do.

import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { configFile } from '../../src/driver/config.js';
import { jsonError, jsonLines, workplace } from './tfc.js';

const place = workplace();
place.file('double.tdsl', 'dim N = 2\nexport fn double(x: f32): f32 = N * x\n');

const configure = (name: string, text: string): void => writeFileSync(join(place.directory, name), text);
place.file(
  'line.tdsl',
  `dim Width = 1
param w: f32[Width] = zeros()
export step train<B>(x: f32[B], y: f32[B], learningRate: f32, flip: bool = false): { loss: f32, rate: f32, width: f32 } {
  let slope = sum(w)
  let loss = mean(square(slope * x - y))
  minimize loss with sgd(lr: if flip then -learningRate else learningRate)
  return { loss, rate: learningRate, width: f32(Width) }
}
export fn shifted<B>(x: f32[B], by: f32): f32[B] = x + by
`.replace(/^/, 'import { sgd } from "std/optim"\n'),
);
place.file('set.csv', 'x,y\n1,2\n2,4\n3,6\n4,8\n');
const double = (...args: string[]): string => place.tfc('run', 'double.tdsl', 'double', ...args).out.trim();

describe('tfc.config', () => {
  afterEach(() => {
    for (const name of ['tfc.config.ts', 'tfc.config.json', 'tfc.config.mjs']) rmSync(join(place.directory, name), { force: true });
  });

  it.each([
    ['tfc.config.ts', 'const four: number = 4;\nexport default { set: { N: 3 }, run: { feed: [`x=${four}`] } } satisfies object;\n'],
    ['tfc.config.mjs', "export default { set: ['N=3'], run: { feed: 'x=4' } };\n"],
    ['tfc.config.json', '{ "set": { "N": 3 }, "seed": 7, "run": { "feed": ["x=4"], "seed": 8 } }'],
  ])('%s says what the command line leaves open', (name, text) => {
    configure(name, text);
    expect(double()).toBe('12');
    expect(double('--feed', 'x=5')).toBe('15');
    expect(double('--feed', 'x=5', '--set', 'N=10')).toBe('50');
  });

  it('of the package around counts in the directories below it', () => {
    configure('package.json', '{}');
    configure('tfc.config.json', '{ "run": { "feed": ["x=4"] } }');
    const inner = join(place.directory, 'inner');
    mkdirSync(inner, { recursive: true });
    expect(configFile(inner)).toBe(join(place.directory, 'tfc.config.json'));
    writeFileSync(join(inner, 'package.json'), '{}');
    expect(configFile(inner)).toBeUndefined();
  });

  it.each([
    ['{ "thread": 1 }', 'there is no option "thread"'],
    ['{ "run": { "sed": 1 } }', 'there is no option "run.sed"'],
    ['{ "threads": true }', 'threads is a text or a number, not true'],
    ['{ "run": { "json": "yes" } }', 'run.json is true or false, not "yes"'],
    ['[]', 'its default export is an object of options, not'],
    ['{ "threads": ', 'tfc.config.json: '],
  ])('is refused with its name: %s', (text, message) => {
    configure('tfc.config.json', text);
    const { code, message: said } = jsonError(place.tfc('run', 'double.tdsl', 'double', '--feed', 'x=1', '--json'));
    expect(code).toBe('bad-data');
    expect(said).toContain('tfc.config.json');
    expect(said).toContain(message);
  });

  describe('gives arguments of entries', () => {
    const train = (...args: string[]): Readonly<Record<string, unknown>> => {
      const outcome = place.tfc('train', 'line.tdsl', '--json', ...args);
      expect(outcome).toMatchObject({ status: 0, err: '' });
      return jsonLines(outcome).at(-1) as Readonly<Record<string, unknown>>;
    };
    const options = "data: 'set.csv', batch: 2, epochs: 2, normalize: false";

    it.each(['learningRate: 0.125', "'learning-rate': '.125'"])('by the names that flags have: %s', (rate) => {
      configure('tfc.config.ts', `export default { set: { Width: 2 }, train: { ${options}, ${rate} } };\n`);
      const configured = train();
      expect(configured).toMatchObject({ rate: 0.125, width: 2 });
      expect(train('--learning-rate', '0.125', '--set', 'Width=2')).toMatchObject({ loss: configured['loss'] });
      expect(train('--learningRate', '0.25')).toMatchObject({ rate: 0.25 });
      expect(train('--feed', 'learningRate=0.5', '--set', 'Width=3')).toMatchObject({ rate: 0.5, width: 3 });
    });

    it('true and false among them, and sizes for all commands and for one', () => {
      const text = (flip: boolean): string =>
        `export default { set: { Width: 2 }, train: { ${options}, set: { Width: 4 }, learningRate: 0.01, flip: ${flip} } };\n`;
      const losses = [true, false].map((flip) => {
        configure('tfc.config.ts', text(flip));
        const { loss, width } = train();
        expect(width).toBe(4);
        return loss as number;
      });
      expect(losses[0]).toBeGreaterThan(losses[1] as number);
    });

    it('that predict', () => {
      configure('tfc.config.json', '{ "predict": { "by": 0.5, "out": "shifted.json", "restore": "none.safetensors", "data": "set.csv" } }');
      train('--data', 'set.csv', '--batch', '4', '--epochs', '1', '--learning-rate', '0', '--save', 'none.safetensors');
      expect(place.tfc('predict', 'line.tdsl', 'shifted')).toMatchObject({ status: 0, err: '' });
      expect(JSON.parse(readFileSync(join(place.directory, 'shifted.json'), 'utf8'))).toMatchObject({ result: [1.5, 2.5, 3.5, 4.5] });
    });

    it.each([
      [
        'train',
        '{ "learningRat": 1 }',
        /train\.learningRat: neither an option of tfc train nor a scalar argument of train/,
        /learningRate\?/,
      ],
      ['train', '{ "zzzzzzzz": 1 }', /train\.zzzzzzzz: neither an option/, /^train takes learningRate, flip\. The options are .*epochs/],
      ['train', '{ "learningRate": [1] }', /train\.learningRate is a number, a text, true or false, not/, undefined],
      ['train', '{ "learningRate": "fast" }', /train\.learningRate/, undefined],
      ['train', '{ "x": 1 }', /train\.x: x of train is no scalar/, /feed/],
      ['predict', '{ "learningRate": 1 }', /predict\.learningRate: neither .* scalar argument of shifted/, /shifted takes by\./],
    ])('and refuses others: %s %s', (command, section, message, hint) => {
      const rest =
        command === 'train'
          ? ['--batch', '2', '--epochs', '1']
          : ['shifted', '--restore', 'none.safetensors', '--out', 'shifted.json', '--by', '1'];
      configure('tfc.config.json', `{ "${command}": ${section} }`);
      const outcome = place.tfc(command, 'line.tdsl', '--data', 'set.csv', '--json', ...rest);
      const error = jsonError(outcome);
      expect(outcome.status).toBe(1);
      expect(error).toMatchObject({ code: 'bad-data', message: expect.stringMatching(message) as string });
      if (hint !== undefined) expect(error.hint).toMatch(hint);
    });

    it('no others at the top, and says where they stand', () => {
      configure('tfc.config.json', '{ "learningRate": 1 }');
      const { message, hint } = jsonError(place.tfc('check', 'line.tdsl', '--json'));
      expect(message).toContain('there is no option "learningRate"');
      expect(hint).toContain('train: { lr: 0.01 }');
    });

    it('to the runs of a sweep, whose checkpoints stay apart', () => {
      configure('tfc.config.ts', `export default { train: { ${options}, checkpoint: 'kept', learningRate: 0.125 } };\n`);
      const outcome = place.tfc('sweep', 'line.tdsl', '--set', 'Width=1,2', '--json', '--jobs', '1');
      expect(outcome).toMatchObject({ status: 0, err: '' });
      const [one, two] = jsonLines(outcome) as Readonly<Record<string, unknown>>[];
      expect([one?.['rate'], two?.['rate']]).toEqual([0.125, 0.125]);
      expect(readdirSync(join(place.directory, 'kept')).sort()).toEqual(['Width=1', 'Width=2']);
      configure('tfc.config.ts', `export default { train: { ${options}, save: 'one.safetensors', learningRate: 0.125 } };\n`);
      expect(place.tfc('sweep', 'line.tdsl', '--set', 'Width=1,2')).toMatchObject({ status: 2 });
      expect(existsSync(join(place.directory, 'one.safetensors'))).toBe(false);
      configure('tfc.config.ts', 'export default { sweep: { epochs: 3 } };\n');
      expect(jsonError(place.tfc('check', 'line.tdsl', '--json')).hint).toBe(
        'It is an option of train, and stands in a section of that name.',
      );
    });
  });

  it('that throws is an error and no stack', () => {
    configure('tfc.config.ts', "throw new Error('not today');\n");
    const { err, status } = place.tfc('check', 'double.tdsl');
    expect(status).toBe(1);
    expect(err.trim().split('\n')).toEqual([expect.stringMatching(/^error\[bad-data\]: .*tfc\.config\.ts: not today$/)]);
  });
});

describe('completion', () => {
  const completed = (...words: string[]): string[] =>
    place
      .tfc('complete', '--', ...words)
      .out.split('\n')
      .map((line) => line.split('\t')[0] as string);

  it('knows commands and options', () => {
    expect(completed('tr')).toContain('train');
    expect(completed('train', '--ep')).toContain('--epochs');
  });

  it.each(['bash', 'zsh', 'fish'])('has a script for %s', (shell) => {
    const { out, status } = place.tfc('complete', shell);
    expect(status).toBe(0);
    expect(out).toContain('tfc');
  });
});
