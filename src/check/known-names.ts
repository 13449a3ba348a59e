// Names that people bring along. In: a name that nothing in force has. Out: what to write instead: an import, or this language's word for
// it.
// Holds: every declaration of std/nn, std/loss and std/optim is listed with its home (tested against their texts).

import type { Expression } from '../../grammar/index.js';
import { isDType } from '../base/index.js';
import { argumentNames, callWords, foreignDTypes, nothings, otherWords, plainly, prefixes, sameThing } from './foreign-names.js';
import type { Scope } from './scope.js';
import { suggestion } from './spelling.js';
import type { Value } from './values.js';

const homes: Readonly<Record<string, readonly string[]>> = {
  'std/nn': [
    'AvgPool2d',
    'BatchNorm',
    'Conv2d',
    'ConvTranspose2d',
    'Dense',
    'Embedding',
    'GRU',
    'GroupNorm',
    'InstanceNorm',
    'LSTM',
    'LayerNorm',
    'MaxPool2d',
    'MultiHeadAttention',
    'RMSNorm',
    'before',
    'bordered',
    'celu',
    'dropout',
    'elu',
    'gelu',
    'glu',
    'hardSwish',
    'identity',
    'leakyRelu',
    'logSigmoid',
    'mish',
    'prelu',
    'relu',
    'rowsOfZeros',
    'selu',
    'silu',
    'softplus',
    'softsign',
    'saturates',
    'tanhSlope',
    'tanhGate',
    'windows',
  ],
  'std/loss': [
    'accuracy',
    'binaryAccuracy',
    'binaryCrossEntropy',
    'cosineEmbeddingLoss',
    'ctcLoss',
    'focalLoss',
    'gaussianNll',
    'hinge',
    'huber',
    'infoNce',
    'klDivergence',
    'mae',
    'mse',
    'softmaxCrossEntropy',
    'tripletLoss',
  ],
  'std/optim': [
    'adadelta',
    'adafactor',
    'adagrad',
    'adam',
    'adamW',
    'adamax',
    'clipByGlobalNorm',
    'cosineDecay',
    'cosineRestarts',
    'exponentialDecay',
    'ftrl',
    'growingRestarts',
    'halfCosine',
    'inverseTimeDecay',
    'lamb',
    'lion',
    'momentum',
    'nadam',
    'nesterov',
    'oneCycle',
    'polynomialDecay',
    'radam',
    'rmsprop',
    'sgd',
    'stepDecay',
    'warmUp',
  ],
};

/** Library names by themselves, and by what their spellings have in common. */
const libraryNames = new Map(Object.entries(homes).flatMap(([home, names]) => names.map((name): [string, string] => [name, home])));
const plainNames = new Map([...libraryNames.keys()].map((name) => [plainly(name), name]));

const importOf = (name: string): string | undefined => {
  const home = libraryNames.get(name);
  return home === undefined ? undefined : `\`import { ${name} } from "${home}"\``;
};

/** Others' names, and what they are told. */
const foreign: ReadonlyMap<string, string> = new Map([
  ...Object.entries(sameThing).flatMap(([ours, theirs]) => theirs.split(' ').map((name): [string, string] => [name, calledHere(ours)])),
  ...otherWords.flatMap(([sentence, theirs]) => theirs.split(' ').map((name): [string, string] => [name, sentence])),
]);

function calledHere(name: string): string {
  const line = importOf(name);
  return `it is called \`${name}\` here${line === undefined ? '' : `: ${line}`}`;
}

/** What to do about a name that is known from elsewhere; undefined for all others. */
export function knownElsewhere(name: string): string | undefined {
  const line = importOf(name);
  if (line !== undefined) return `import it: ${line}`;
  if (nothings.has(name)) return 'there is no such value: leave out what is not given';
  const dtype = foreignDTypes.get(name);
  if (dtype !== undefined) return `it is called \`${dtype}\` here, and converts: \`${dtype}(x)\``;
  const respelled = plainNames.get(plainly(name));
  return respelled === undefined ? foreign.get(plainly(name)) : calledHere(respelled);
}

/** What an unknown name was meant to be: the same one in another spelling, one from elsewhere, or a near one. */
export function nameHint(name: string, scope: Scope): string | undefined {
  const visible = [...scope.visible()];
  const respelled = libraryNames.has(name) ? undefined : visible.find((one) => plainly(one) === plainly(name));
  return respelled === undefined ? (knownElsewhere(name) ?? suggestion(name, visible)) : `did you mean \`${respelled}\`?`;
}

/** `None` and its like, where nothing is called so. */
export const isNothing = (expression: Expression, scope: Scope): boolean =>
  expression.kind === 'name' && nothings.has(expression.name) && scope.lookup(expression.name) === undefined;

/** The name at the start of `np.linalg.inv`, when nothing is called so here and others put it before their functions. */
export function foreignPrefix(expression: Expression, scope: Scope): Expression | undefined {
  let first = expression;
  while (first.kind === 'member') first = first.object;
  return first.kind === 'name' && prefixes.has(first.name) && scope.lookup(first.name) === undefined ? first : undefined;
}

/** What `np.name` is here. */
export const unprefixed = (name: string, scope: Scope): string =>
  scope.lookup(name) === undefined
    ? (nameHint(name, scope) ?? 'functions need no prefix: `exp(x)`')
    : `functions need no prefix: \`${name}(…)\``;

/** What a member is called that a value does not have and others give it. */
export function memberHint(name: string, object: Value, text: string, scope: Scope): string | undefined {
  if (object.kind === 'instance') {
    if (callWords.has(name) && object.members.includes('call')) return `an instance is called itself: \`${text}(…)\``;
    return plainly(name) === 'parameters' || plainly(name).startsWith('trainable') ? `write \`params(${text})\`` : undefined;
  }
  // The members of a record are the program's own.
  if (object.kind === 'record') return undefined;
  if (name === 'T' || name === 'mT') return `write \`transpose(${text})\``;
  const known = knownElsewhere(name);
  if (known !== undefined) return known;
  return isFunction(name, scope) ? `it is a function: \`${name}(${text})\`` : undefined;
}

/** Is it a function that needs no import? What a program declares is not looked at: that would evaluate it. */
function isFunction(name: string, scope: Scope): boolean {
  const binding = scope.lookup(name);
  return binding !== undefined && !isDType(name) && (binding.role === 'builtin' || binding.span?.source.startsWith('std/') === true);
}

/** What an argument is called that the callee does not have: the same in another spelling, or others' name for one that it has. */
export function argumentHint(name: string, names: readonly string[]): string | undefined {
  const respelled = names.find((one) => plainly(one) === plainly(name));
  if (respelled !== undefined) return `did you mean \`${respelled}\`?`;
  const ours = argumentNames.get(plainly(name))?.find((one) => names.includes(one));
  return ours === undefined ? undefined : `it is called \`${ours}\` here`;
}
