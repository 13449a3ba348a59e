// Printing and parsing undo one another, for any tree.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parse, print, printExpression } from '../../grammar/index.js';
import { programs, trees } from './random-programs.js';
import { readExpression, withoutPlaces } from './shape.js';

const effort = process.env['TFC_LONG'] === '1' ? 20 : 1;

it('parse(print(program)) is the program', () => {
  fc.assert(
    fc.property(programs, (program) => {
      const text = print(program);
      const { program: again, problems } = parse(text, 'x');
      expect(problems, text).toEqual([]);
      expect(withoutPlaces(again), text).toEqual(withoutPlaces({ ...program, span: program.span }));
      expect(print(again)).toBe(text);
    }),
    { numRuns: 1500 * effort },
  );
});

it('printExpression gives the expression back, where no block is shortened', () => {
  fc.assert(
    fc.property(trees.expression, (e) => {
      const text = printExpression(e);
      fc.pre(!text.includes('…'));
      fc.pre(!/\b(?:fold|scan|while|=>)/.test(text));
      expect(withoutPlaces(readExpression(text)), text).toEqual(withoutPlaces(e));
    }),
    { numRuns: 1500 * effort },
  );
});
