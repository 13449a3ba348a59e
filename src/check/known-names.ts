// Names that people bring along. In: a name that nothing in force has. Out: what to write instead: an import, or this language's word for
// it.
// Holds: every declaration of std/nn, std/loss and std/optim is listed with its home (tested against their texts).

const homes: Readonly<Record<string, readonly string[]>> = {
  'std/nn': [
    'BatchNorm',
    'Dense',
    'Embedding',
    'LayerNorm',
    'dropout',
    'elu',
    'gelu',
    'identity',
    'leakyRelu',
    'mish',
    'relu',
    'silu',
    'softplus',
    'softsign',
  ],
  'std/loss': ['accuracy', 'binaryAccuracy', 'binaryCrossEntropy', 'hinge', 'huber', 'klDivergence', 'mae', 'mse', 'softmaxCrossEntropy'],
  'std/optim': [
    'adadelta',
    'adagrad',
    'adam',
    'adamW',
    'clipByGlobalNorm',
    'cosineDecay',
    'exponentialDecay',
    'ftrl',
    'inverseTimeDecay',
    'momentum',
    'nesterov',
    'rmsprop',
    'sgd',
    'warmUp',
  ],
};

const imports: ReadonlyMap<string, string> = new Map(
  Object.entries(homes).flatMap(([home, names]) =>
    names.map((name): [string, string] => [name, `import it: \`import { ${name} } from "${home}"\``]),
  ),
);

/** Words of NumPy, TensorFlow and JavaScript. */
const foreign: ReadonlyMap<string, string> = new Map([
  ['matmul', 'a matrix product is written `a @ b`'],
  ['mm', 'a matrix product is written `a @ b`'],
  ['maximum', 'the larger of two is `max(a, b)`'],
  ['minimum', 'the smaller of two is `min(a, b)`'],
  ['power', 'a power is written `x ** n`'],
  ['subtract', 'a difference is written `a - b`'],
  ['multiply', 'a product is written `a * b`'],
  ['divide', 'a quotient is written `a / b`'],
  ['reduceSum', 'write `sum(x, axis: …)`'],
  ['reduce_sum', 'write `sum(x, axis: …)`'],
  ['reduceMean', 'write `mean(x, axis: …)`'],
  ['reduce_mean', 'write `mean(x, axis: …)`'],
  ['reduceMax', 'write `max(x, axis: …)`'],
  ['reduce_max', 'write `max(x, axis: …)`'],
  ['var', 'write `variance(x, axis: …)`'],
  ['inv', 'write `inverse(x)`'],
  ['concatenate', 'write `concat([a, b], axis: 0)`'],
  ['cast', 'a dtype converts: `f32(x)`'],
  ['gather', 'rows are gathered by index: `table[ids]`'],
  ['expand_dims', 'write `expandDims(x, axis: …)`'],
  ['one_hot', 'write `oneHot(labels, classes)`'],
  ['gradients', 'write `grad(y, x)`'],
  ['len', 'the first size is `x.shape[0]`'],
  ['shape', 'sizes are `x.shape`'],
  ['constant', 'one value everywhere is `full(value)`'],
  ['self', 'members are named as they are: `w`'],
  ['this', 'members are named as they are: `w`'],
  ['None', 'an axis of size 1 is added by `expandDims(x, axis: …)`'],
  ['np', 'mathematical functions need no prefix: `exp(x)`'],
  ['tf', 'mathematical functions need no prefix: `exp(x)`'],
  ['Math', 'mathematical functions need no prefix: `exp(x)`'],
  ['PI', 'write `const pi = 3.141592653589793`'],
  ['pi', 'write `const pi = 3.141592653589793`'],
  ['True', 'write `true`'],
  ['False', 'write `false`'],
]);

/** What to do about a name that is known from elsewhere; undefined for all others. */
export const knownElsewhere = (name: string): string | undefined => imports.get(name) ?? foreign.get(name);
