// What syntax problems say. In: what was expected and what was found. Out: a sentence, a hint, what could have stood there.
// Holds: sentences speak of signs and words of the language, never of grammar rules or token types.

import type { IParserErrorMessageProvider, IToken, TokenType } from 'chevrotain';
import { EOF, tokenMatcher } from './chevrotain.js';
import type { SyntaxProblem } from './problem.js';
import { startsOperand } from './starts.js';
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
  ['fun', 'a function is declared with `fn`'],
  ['lambda', 'a lambda is written `x => e`'],
  ['class', 'a `model` holds params and functions'],
  ['struct', 'a `model` holds params and functions; a record is written `{ a: 1, b: x }`'],
  ['interface', 'types are written where they are used: `x: f32[B, 3]`'],
  ...['var', 'val', 'mut', 'auto'].map((word): [string, string] => [word, 'a value is named with `let`']),
  ['and', '"and" is written `&&`'],
  ['or', '"or" is written `||`'],
  ['not', '"not" is written `!`'],
  ['xor', 'of two bools, "either" is written `!=`'],
  ['mod', 'a remainder is written `a % b`'],
  ['rem', 'a remainder is written `a % b`'],
  ['div', 'a quotient is written `a / b`; of integers, rounded down, `floorDiv(a, b)`'],
  ['is', 'equality is written `==`'],
  ['elif', 'write `else if`'],
  ['elseif', 'write `else if`'],
  ['new', 'an instance is made without `new`: `net = Dense<3, 4>()`'],
  ['assert', 'what must hold of sizes stands behind the result: `fn f<N>(x: f32[N]): f32 where N > 1 { … }`'],
  ['await', 'a call gives its value at once: nothing is awaited'],
  ['print', 'a function has no effects: return the value, or fetch it by its name'],
  ...['break', 'continue'].map((word): [string, string] => [
    word,
    'a loop runs to its end; one with a condition is `while c with z = a { … }`',
  ]),
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
const blockInExpression =
  'in an expression `{` opens a record, `{ a: x }`; functions, lambdas, loops and index notation have blocks: name the value before, or call a function';

/** Words that name a value somewhere. */
const valueWords: ReadonlySet<string> = new Set(['let', 'var', 'val', 'mut', 'auto']);

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
  const inCall = message.startsWith("expected ')' to close the call");
  if (type === t.Equals && inCall && previous !== undefined && tokenMatcher(previous, t.Name))
    return `arguments are named with \`:\`: \`${previous.image}: …\`; equality is written \`==\``;
  if (type === t.Equals && expectsOperand(message)) return 'equality is written `==`; arguments and fields are named with `:`';
  if (message.startsWith("expected ')' to close the parameters") && type === t.Dot) return 'a tensor has a dtype and sizes: `f32[B, 3]`';
  if (type === t.Dot && message === 'expected a declaration') return 'a size is made of integers, `dim`s and generics';
  if (type === t.Dot && previous?.tokenType !== t.NumberLiteral) return 'a number has a digit before its point: `0.5`';
  if (previous?.tokenType === t.Dot && type === t.NumberLiteral) return 'an element of a tuple is taken by index: `t[0]`';
  if (previous?.tokenType === t.NumberLiteral && adjacent && type === t.Dot) return 'a number has a digit after its point: `1.0`';
  if (previous?.tokenType === t.NumberLiteral && adjacent && type === t.Identifier) {
    if (found.image.startsWith('_')) return 'digits are written without separators';
    if (previous.image === '0' && /^[xXbBoO][\da-fA-F_]*$/.test(found.image)) return 'numbers are written in decimal';
    if (/^(?:[fFdDlLuUnjJ]|[fiu](?:8|16|32|64))$/.test(found.image))
      return `a number has no suffix: it takes the dtype of what it meets, or \`f32(${previous.image})\`; a product is written \`${previous.image} * ${found.image}\``;
    return `a product is written \`${previous.image} * ${found.image}\``;
  }
  if (type === t.FatArrow && message === "expected '=' or '{'") return 'the body stands behind `=`: `fn f(x: f32) = x`';
  if (type === t.Minus && message === "expected '=' or '{'") return 'the type of the result stands behind a colon: `fn f(x: f32): f32`';
  if (type === t.Equals && adjacent && previous?.tokenType === t.Colon) return 'a name gets its value by `=`: `let x = …`';
  if (adjacent && previous !== undefined) {
    if (previous.tokenType === t.Less && type === t.Greater) return 'inequality is written `!=`';
    if (previous.tokenType === t.Equals && type === t.Less) return '"at most" is written `<=`';
    if (previous.tokenType === t.Plus && type === t.Plus) return 'write `x <- x + 1`';
    if (previous.tokenType === type && (type === t.Less || type === t.Greater)) return 'a shift is a product: `x * 2 ** n`';
  }
  if (type === t.BraceOpen && message === "expected 'then'") return 'where it is a value write `if c then a else b`';
  if (type === t.Comma && message === "expected '='") return 'several names stand in parentheses: `let (a, b) = …`';
  if (type === t.DotDot && message.startsWith("expected ']' to close the index")) return 'a slice is written `x[0:2]`';
  if (type === t.Comma && message === 'expected a declaration') return 'sizes in angle brackets belong to a call: `Dense<3, 4>()`';
  if (message.startsWith("expected ')' to close the parameters") && type === t.ParenOpen) return 'sizes stand in square brackets: `f32[3]`';
  if (message === 'expected a size' && type === t.BracketClose && previous?.tokenType === t.BracketOpen)
    return 'a scalar has no brackets, `f32`; a tensor has a size for each axis, `f32[N, M]`';
  if (message === 'expected a type' && type === t.BracketOpen) return 'a tensor has a dtype and sizes: `f32[B, 3]`';
  if (type === t.Colon && message.startsWith("expected 'then'")) return 'write `if c then a else b`, or `if c { … }` for statements';
  const missing = missingWords.get(rule === 'carryStart' ? `${message} in a loop` : message);
  if (missing !== undefined) return missing;
  if (previous?.tokenType === t.reserved.import) return 'names are imported in braces: `import { relu } from "std/nn"`';
  if (message === 'expected a declaration' && found.tokenType === t.word.from) return 'write `import { relu } from "std/nn"`';
  if (message.includes('to close the sizes')) {
    if (type === t.ParenOpen) return 'sizes know `+ - * / % **`, and no functions';
  }
  if (message === 'expected a new line or an operator' && found.tokenType === t.word.in)
    return 'a loop is a value: `fold x in xs with z = 0.0 { z + x }`; all variables of a list change by `update list with rule() by values`';
  if (message.includes('to close the record') && type !== t.Equals && type !== EOF) return blockInExpression;
  if (message === 'expected a declaration' && type === t.BraceOpen && previous?.tokenType === t.BracketClose)
    return 'what is combined over indices stands in parentheses: `sum[k](x[k])`';
  if (message.includes('to close the update rule'))
    return 'it takes the param and its gradient: `update(p, g)`; settings stand behind the name';
  if (message.includes('to close the summary')) return 'a summary has a name and a value: `summary scalar("loss", loss)`';
  if (message === 'expected an expression' && type === t.Colon) return 'a record after `=>` goes in parentheses: `x => ({ a: x })`';
  if (message.includes('to close the block') && found.image === 'fn')
    return 'a function that belongs into the block is a lambda: `let f = (x, y) => …`';
  if (message.includes('to close the block') && (type === t.word.state || type === t.word.param)) return misplaced;
  if (previous?.tokenType === t.word.precision && type === t.Identifier)
    return '`precision` is a statement: `{ precision bf16 { return … } }`';
  if (previous?.tokenType === t.word.precision && type === t.StringLiteral) return 'a dtype is a name: `precision bf16 { … }`';
  if (type === t.reserved.if) return 'a choice is written `if c then a else b`';
  if (type === t.FatArrow) return 'the parameters of a lambda are names: `x => e`, `(x, y) => e`';
  if (message === 'expected a name' && t.reservedWords.includes(found.image)) {
    return `\`${found.image}\` is a word of the language and cannot be a name`;
  }
  if (message === "expected '{'" && previous?.tokenType === t.reserved.import) return 'write `import { name } from "std/nn"`';
  if (message === "expected ':'" && (type === t.ParenClose || type === t.Comma)) return 'a parameter has a type: `x: f32[B]`';
  if (found.image === 'const' && message === 'expected an expression') return 'a value inside of a function is named with `let`';
  if (message === 'expected a declaration') {
    if (valueWords.has(found.image)) return 'at the top of a file write `name = …` or `const name = …`';
    if (found.image === 'from') return 'write `import { name } from "std/nn"`';
    if (type === t.Equals) return 'comparisons are written `==`, `!=`, `<=` and `>=`';
    if (type === t.At) return 'a function has no decorators; an entry point is written `export fn`';
    if (found.tokenType === t.reserved.return || found.tokenType === t.reserved.yield) return `\`${found.image}\` stands inside of a block`;
    if (t.contextualWords.includes(found.image)) return `\`${found.image}\` stands inside of a function or step, or wants a name after it`;
    const isForeign = [found, previous].some((one) => one !== undefined && foreignWords.has(one.image));
    if (found.tokenType === t.Identifier && !isForeign) return `write \`${found.image} = …\` to give a name to an instance`;
  }
  const word = foreignWords.get(found.image) ?? (previous === undefined ? undefined : foreignWords.get(previous.image));
  return word ?? (inCall && startsOperand(found) ? 'arguments are separated by commas' : undefined);
}

function expectsOperand(message: string): boolean {
  return message === 'expected an expression' || message.startsWith("expected ')'") || message.startsWith("expected ']'");
}
