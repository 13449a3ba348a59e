// What syntax problems say. In: what was expected and what was found. Out: a sentence, a hint, what could have stood there.
// Holds: sentences speak of signs and words of the language, never of grammar rules or token types.

import type { IParserErrorMessageProvider, IToken, TokenType } from 'chevrotain';
import { EOF } from './chevrotain.js';
import type { SyntaxProblem } from './problem.js';
import * as t from './tokens.js';

/** A token as people see it. */
export function describe(token: IToken): string {
  if (token.tokenType === EOF) return 'the end of the file';
  const text = token.image.length > 24 ? `${token.image.slice(0, 24)}…` : token.image;
  return token.tokenType === t.StringLiteral ? text : `'${text}'`;
}

function label(type: TokenType): string {
  return type === EOF ? 'the end of the file' : (type.LABEL ?? type.name);
}

/** The sentences of mismatches that the parser finds by itself; `shown` adds what was found instead. */
export const messages: IParserErrorMessageProvider = {
  buildMismatchTokenMessage: ({ expected }) => `expected ${label(expected)}`,
  buildNotAllInputParsedMessage: () => 'expected the end of the file',
  buildNoViableAltMessage: ({ customUserDescription }) => `expected ${customUserDescription ?? 'something else'}`,
  buildEarlyExitMessage: ({ customUserDescription }) => `expected ${customUserDescription ?? 'something else'}`,
};

/** Hints by the word that was found where something else should have stood. */
const foreignWords: ReadonlyMap<string, string> = new Map([
  ['def', 'a function is declared with `fn`'],
  ['function', 'a function is declared with `fn`'],
  ['func', 'a function is declared with `fn`'],
  ['class', 'a `model` holds params and functions'],
  ['var', 'a value is named with `let`'],
  ['and', '"and" is written `&&`'],
  ['or', '"or" is written `||`'],
  ['not', '"not" is written `!`'],
  ['for', 'a loop is a value: `fold i in 0..n with z = 0.0 { … }`'],
  ['type', 'types are written where they are used: `x: f32[B, 3]`'],
  ['step', 'an entry point that changes variables is written `export step`'],
]);

/** The sentence with what was found instead, and a hint if the mistake is a known one. `rule`: the rule that was being read. */
export function shown(message: string, found: IToken, previous: IToken | undefined, rule?: string): Omit<SyntaxProblem, 'span'> {
  const hint = hintFor(message, found, previous, rule);
  const expected = /^expected (.+?)(?: to close .*)?$/.exec(message)?.[1];
  const closer = found.tokenType === t.ParenClose || found.tokenType === t.BracketClose || found.tokenType === t.BraceClose;
  return {
    message: message === 'expected a declaration' && closer ? `${describe(found)} closes nothing` : `${message}, found ${describe(found)}`,
    ...(hint === undefined ? {} : { hint }),
    ...(expected === undefined ? {} : { expected: [expected] }),
  };
}

/** For a variable that is declared in a block. */
export const misplaced =
  'variables are declared at the top of the file or in a model, and last from step to step; a value is named with `let`';

/** For what is no member of an optimizer. */
export const optimizerMembers = 'an optimizer keeps states, `state v = zeros()`, and has one `update(p, g) { … }`';

/** Hints by the word that does not come. */
const missingWords: ReadonlyMap<string, string> = new Map([
  ["expected 'else'", 'a choice has two values: `if c then a else b`'],
  ["expected 'with'", 'say by what optimizer: `with sgd(lr: 0.1)`'],
  ["expected 'with' in a loop", 'say what the rounds carry: `with z = 0.0`'],
  ["expected 'then'", 'a choice of values is written `if c then a else b`'],
  ['expected a string', 'a path or a name stands in quotes: `"std/nn"`'],
  ['expected `state` or `update(p, g)`', optimizerMembers],
  ["expected 'by'", '`update params with sgd(lr: 0.1) by gradients`'],
]);

const operators: ReadonlySet<TokenType> = new Set([t.Plus, t.Minus, t.Star, t.StarStar, t.Slash, t.Percent, t.At]);

function hintFor(message: string, found: IToken, previous: IToken | undefined, rule: string | undefined): string | undefined {
  const type = found.tokenType;
  const adjacent = previous !== undefined && previous.startOffset + previous.image.length === found.startOffset;
  if (type === t.Assign)
    return 'a comparison with a negative number needs a space: `x < -1`; an assignment `x <- e` is a statement of its own';
  if (type === t.Equals && previous !== undefined && adjacent) {
    if (operators.has(previous.tokenType)) return `write \`x <- x ${previous.image} e\``;
    if (previous.tokenType === t.EqualsEquals) return 'equality is written `==`';
    if (previous.tokenType === t.NotEquals) return 'inequality is written `!=`';
  }
  if (type === t.Equals && message.startsWith('expected a comparison of sizes')) return 'equality is written `==`';
  if (type === t.Equals && expectsOperand(message)) return 'equality is written `==`; arguments and fields are named with `:`';
  if (type === t.Dot && message === 'expected a declaration') return 'a size is made of integers, `dim`s and generics';
  if (type === t.Dot && previous?.tokenType !== t.NumberLiteral) return 'a number has a digit before its point: `0.5`';
  if (previous?.tokenType === t.Dot && type === t.NumberLiteral) return 'an element of a tuple is taken by index: `t[0]`';
  if (previous?.tokenType === t.NumberLiteral && adjacent && type === t.Dot) return 'a number has a digit after its point: `1.0`';
  if (previous?.tokenType === t.NumberLiteral && adjacent && type === t.Identifier) {
    return found.image.startsWith('_')
      ? 'digits are written without separators'
      : `a product is written \`${previous.image} * ${found.image}\``;
  }
  const missing = missingWords.get(rule === 'carryStart' ? `${message} in a loop` : message);
  if (missing !== undefined) return missing;
  if (previous?.tokenType === t.reserved.import) return 'names are imported in braces: `import { relu } from "std/nn"`';
  if (message === 'expected a declaration' && found.tokenType === t.word.from) return 'write `import { relu } from "std/nn"`';
  if (message.includes('to close the sizes')) {
    if (type === t.StarStar) return 'sizes know `+ - * / %`: write `N * N`';
    if (type === t.ParenOpen) return 'sizes know `+ - * / %`, and no functions';
  }
  if (message === 'expected a size' && type === t.BracketClose && previous?.tokenType === t.BracketOpen)
    return 'a type has a size for each axis: `f32[N, M]`';
  if (message.includes('to close the update rule'))
    return 'it takes the param and its gradient: `update(p, g)`; settings stand behind the name';
  if (message.includes('to close the summary')) return 'a summary has a name and a value: `summary scalar("loss", loss)`';
  if (message === 'expected an expression' && type === t.Colon) return 'a record after `=>` goes in parentheses: `x => ({ a: x })`';
  if (message.includes('to close the block') && (type === t.word.state || type === t.word.param)) return misplaced;
  if (previous?.tokenType === t.word.precision && type === t.Identifier)
    return '`precision` is a statement: `{ precision bf16 { return … } }`';
  if (previous?.tokenType === t.word.precision && type === t.StringLiteral) return 'a dtype is a name: `precision bf16 { … }`';
  if (type === t.reserved.if) return 'a choice is written `if c then a else b`';
  if (type === t.FatArrow) return 'the parameters of a lambda are names: `x => e`, `(x, y) => e`';
  if (message === 'expected a name' && t.reservedWords.includes(found.image)) {
    return `\`${found.image}\` is a word of the language and cannot be a name`;
  }
  if (message === "expected ':'" && (type === t.ParenClose || type === t.Comma)) return 'a parameter has a type: `x: f32[B]`';
  if (found.image === 'const' && message === 'expected an expression') return 'a value inside of a function is named with `let`';
  if (message === 'expected a declaration') {
    if (found.image === 'let') return 'at the top of a file write `name = …` or `const name = …`';
    if (t.contextualWords.includes(found.image)) return `\`${found.image}\` stands inside of a function or step, or wants a name after it`;
    if (found.tokenType === t.Identifier && !foreignWords.has(found.image))
      return `write \`${found.image} = …\` to give a name to an instance`;
  }
  return foreignWords.get(found.image) ?? (previous === undefined ? undefined : foreignWords.get(previous.image));
}

function expectsOperand(message: string): boolean {
  return message === 'expected an expression' || message.startsWith("expected ')'") || message.startsWith("expected ']'");
}
