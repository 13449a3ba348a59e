// How training is shown. In: numbers, steps. Out: texts.

import { describe, expect, it } from 'vitest';
import { beginning, type StepProgress } from '../../src/train/observer.js';
import { duration, format, progressBar } from '../../src/train/progress.js';

describe('progress', () => {
  it('writes numbers shortly', () => {
    expect([0.123456, 12.3456, 1234.56, 3, -0.00001234, NaN].map(format)).toEqual(['0.1235', '12.35', '1235', '3', '-0.00001234', 'NaN']);
  });

  it('writes times in words', () => {
    expect([0, 0.2, 59, 60, 125, 7200, Infinity, NaN].map(duration)).toEqual([
      '0 s',
      '1 s',
      '59 s',
      '1 min 0 s',
      '2 min 5 s',
      '120 min 0 s',
      '?',
      '?',
    ]);
  });
});

describe('the bar', () => {
  /** A terminal of one line: what is on it after everything that was written. */
  function terminal(): { readonly stream: NodeJS.WritableStream; readonly lines: string[]; line(): string } {
    const lines: string[] = [];
    let [line, column] = ['', 0];
    const put = (text: string): void => {
      for (const part of text.split(/(\x1b\[[?\d;]*[A-Za-z]|\x1b[78]|\n)/)) {
        if (part === '\n') {
          lines.push(line);
          [line, column] = ['', 0];
        } else if (/\[\d*G$/.test(part)) column = 0;
        else if (part.endsWith('[2K')) line = '';
        else if (part.endsWith('[0K')) line = line.slice(0, column);
        else if (!part.startsWith('\x1b')) {
          line = line.slice(0, column) + part + line.slice(column + part.length);
          column += part.length;
        }
      }
    };
    const stream = { isTTY: true, columns: 200, write: (text: string) => (put(text), true) };
    return { stream: stream as unknown as NodeJS.WritableStream, lines, line: () => line };
  }

  const step = (at: number, steps: number | undefined): StepProgress => ({
    epoch: 1,
    step: at,
    steps,
    rows: 4,
    rowsPerSecond: 1234.5,
    scalars: { loss: 0.25 },
    learningRate: undefined,
    wallTime: 0,
    seconds: at,
    position: () => beginning,
  });

  it('shows numbers, rows per second and the time that is left', () => {
    const { stream, line } = terminal();
    const bar = progressBar(3, stream);
    bar.step(step(1, 10));
    expect(line()).toMatch(/^epoch 1\/3 █+░+ 10%  loss 0\.2500  1235 rows\/s  9 s left$/);
    bar.stop();
    expect(line()).toBe('');
  });

  it('is away while a line is printed, and there again behind it', () => {
    const { stream, lines, line } = terminal();
    const bar = progressBar(3, stream);
    const print = (text: string): void => bar.print(() => void stream.write(`${text}\n`));
    print('before');
    bar.step(step(1, undefined));
    expect(line()).toContain('step 1');
    print('epoch 1: loss 0.2');
    expect(line()).toContain('step 1');
    bar.step(step(4, 4));
    print('epoch 2: loss 0.1');
    bar.stop();
    bar.stop();
    print('after');
    expect(lines).toEqual(['before', 'epoch 1: loss 0.2', 'epoch 2: loss 0.1', 'after']);
    expect(line()).toBe('');
  });

  it('leaves signals to whoever trains', () => {
    const before = process.listenerCount('SIGINT');
    const bar = progressBar(1, terminal().stream);
    bar.step(step(1, 2));
    expect(process.listenerCount('SIGINT')).toBe(before);
    bar.stop();
  });
});
