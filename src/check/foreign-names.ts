// What NumPy, PyTorch, TensorFlow, JAX and other languages call things. In: nothing. Out: their names, by what is written here instead.
// Holds: names stand without underscores and in small letters, so that each stands for all of its spellings; only what there is is offered
// (tests look up every name on the left, and read every piece of program in the sentences).

import type { DType } from '../base/index.js';

/** A name without what spellings differ in: `expand_dims`, `expandDims` and `ExpandDims` are one. */
export const plainly = (name: string): string => name.replaceAll('_', '').toLowerCase();

/** Our names, with the names that others give to the same thing. */
export const sameThing: Readonly<Record<string, string>> = {
  // Functions that need no import.
  abs: 'absolute fabs',
  acos: 'arccos',
  acosh: 'arccosh',
  all: 'reduceall',
  any: 'reduceany',
  arange: 'range',
  asin: 'arcsin',
  asinh: 'arcsinh',
  atan: 'arctan',
  atan2: 'arctan2',
  atanh: 'arctanh',
  eye: 'identitymatrix',
  flatten: 'ravel',
  floorDiv: 'floordivide intdiv',
  glorotNormal: 'xaviernormal',
  glorotUniform: 'xavieruniform',
  heNormal: 'kaimingnormal',
  heUniform: 'kaiminguniform',
  inverse: 'inv matrixinverse',
  isNaN: 'isnan',
  logSumExp: 'reducelogsumexp',
  norm: 'vectornorm l2norm',
  outer: 'outerproduct',
  params: 'parameters trainablevariables trainableweights',
  round: 'rint',
  sigmoid: 'expit logistic',
  std: 'stddev reducestd',
  stopGradient: 'detach nograd',
  trunc: 'fix',
  variance: 'var reducevariance',
  where: 'select',
  zeros: 'empty',
  // Layers and activations.
  BatchNorm: 'batchnorm1d batchnorm2d batchnorm3d batchnormalization',
  Dense: 'linear affine fullyconnected',
  LayerNorm: 'layernormalization',
  silu: 'swish',
  // Losses.
  binaryCrossEntropy:
    'bcewithlogitsloss bcewithlogits binarycrossentropywithlogits sigmoidcrossentropywithlogits sigmoidbinarycrossentropy',
  hinge: 'hingeloss',
  huber: 'huberloss smoothl1loss',
  klDivergence: 'kldivloss kldiv',
  mae: 'l1loss meanabsoluteerror',
  mse: 'mseloss meansquarederror',
  softmaxCrossEntropy:
    'crossentropyloss crossentropy sparsecategoricalcrossentropy softmaxcrossentropywithlogits sparsesoftmaxcrossentropywithlogits softmaxcrossentropywithintegerlabels',
  // Optimizers and schedules.
  adadelta: 'adadeltaoptimizer',
  adagrad: 'adagradoptimizer',
  adam: 'adamoptimizer',
  clipByGlobalNorm: 'clipgradnorm clipgradientsbyglobalnorm',
  cosineDecay: 'cosineannealinglr cosineannealing cosinedecayschedule',
  exponentialDecay: 'exponentiallr',
  ftrl: 'ftrloptimizer',
  momentum: 'momentumoptimizer',
  rmsprop: 'rmspropoptimizer',
  sgd: 'gradientdescentoptimizer gradientdescent',
  warmUp: 'linearwarmup',
};

/** What to write instead, with the names that lead to it. */
export const otherWords: readonly (readonly [sentence: string, names: string])[] = [
  // Products.
  ['a matrix product is written `a @ b`', 'matmul mm bmm mv matvec gemm'],
  ['sums of products are written with indices: `[i, k] => sum[j](a[i, j] * b[j, k])`', 'einsum tensordot contract'],
  [
    'the logarithm of |det m| is `sum(log(abs(diagonal(lu(m)[0]))))`; `logdet(m)` is NaN where the determinant is negative',
    'slogdet logabsdet',
  ],
  // Operators.
  ['a sum is written `a + b`', 'add plus'],
  ['a difference is written `a - b`', 'subtract sub minus'],
  ['a product is written `a * b`', 'multiply mul times'],
  ['a quotient is written `a / b`; of integers, rounded down, `floorDiv(a, b)`', 'divide div truedivide truediv'],
  ['a remainder is written `a % b`', 'mod remainder fmod floormod rem'],
  ['a power is written `x ** n`', 'power'],
  ['write `-x`', 'negative neg negate'],
  ['write `abs(x) < 1.0 / 0.0`', 'isfinite'],
  ['write `abs(x) == 1.0 / 0.0`', 'isinf'],
  ['write `a == b`', 'equal equals eq'],
  ['write `a != b`', 'notequal ne neq logicalxor xor'],
  ['write `a > b`', 'greater gt'],
  ['write `a >= b`', 'greaterequal ge gte'],
  ['write `a < b`', 'less lt'],
  ['write `a <= b`', 'lessequal le lte'],
  ['write `a && b`', 'logicaland'],
  ['write `a || b`', 'logicalor'],
  ['write `!a`', 'logicalnot not'],
  ['a lambda is written `x => x + 1`', 'lambda'],
  ['the larger of two is `max(a, b)`', 'maximum fmax'],
  ['the smaller of two is `min(a, b)`', 'minimum fmin'],
  ['write `log(x) / log(2.0)`', 'log2'],
  ['write `log(x) / log(10.0)`', 'log10'],
  // Reductions.
  ['write `sum(x, axis: 0)`', 'reducesum nansum'],
  ['write `mean(x, axis: 0)`', 'reducemean average avg nanmean'],
  ['write `max(x, axis: 0)`', 'reducemax amax nanmax'],
  ['write `min(x, axis: 0)`', 'reducemin amin nanmin'],
  ['write `product(x, axis: 0)`', 'reduceprod reduceproduct prod'],
  ['how many there are is `count(x)`', 'numel'],
  ['write `sum(i32(x != 0))`', 'countnonzero'],
  ['write `cumsum(x, axis: 0)`', 'cumulativesum'],
  ['write `cumprod(x, axis: 0)`', 'cumulativeproduct'],
  // Shapes.
  ['write `reshape(x, [2, 3])`', 'view resize'],
  ['write `transpose(x, axes: [1, 0])`', 'permute permutedims swapaxes movedim moveaxis'],
  ['an axis of size 1 is added by `expandDims(x, axis: 0)`', 'unsqueeze'],
  ['an axis of size 1 is added by `None`: `x[:, None]`', 'newaxis'],
  ['write `broadcastTo(x, [2, 3])`', 'expand expandas broadcast broadcastarrays'],
  ['write `concat([a, b], axis: 0)`', 'concatenate cat hstack vstack'],
  ['write `split(x, 2, axis: 0)`', 'chunk arraysplit tensorsplit'],
  ['rows are gathered by index: `table[ids]`', 'gather gathernd embeddinglookup'],
  ['write `take(x, ids, axis: 0)`', 'indexselect'],
  ['write `scatterAdd(ids, updates, rows)`', 'indexadd segmentsum unsortedsegmentsum scatternd'],
  ['write `clip(x, 0, 1)`', 'clamp clipbyvalue'],
  ['write `clip(x, 0, 6)`', 'relu6'],
  ['write `clip(x, -1, 1)`', 'hardtanh'],
  ['write `where(mask, value, x)`', 'maskedfill'],
  ['a diagonal is `diagonal(m)`; a matrix of one is `[i, j] => if i == j then v[i] else 0`', 'diag diagflat diagembed'],
  [
    'a convolution is written with indices: `[y in 0..8, x in 0..8] => sum[i, j](image[y + i, x + j] * kernel[i, j])`; its layer is `Conv2d` of "std/nn"',
    'conv conv1d conv2d convolve convolution',
  ],
  [
    'pooling is written with indices: `[y in 0..8, x in 0..8] => max[i in 0..2, j in 0..2](image[2 * y + i, 2 * x + j])`; its layer is `MaxPool2d` of "std/nn"',
    'maxpool maxpool2d maxpooling2d',
  ],
  [
    'pooling is written with indices: `[y in 0..8, x in 0..8] => mean[i in 0..2, j in 0..2](image[2 * y + i, 2 * x + j])`; its layer is `AvgPool2d` of "std/nn"',
    'avgpool avgpool2d averagepooling2d',
  ],
  ['sizes are `x.shape`', 'shape'],
  [
    'rows of tensors are gone through together as a tuple: `fold (a, b) in (x, y) with s = 0.0 { s + a * b }`; lists by their positions: `[a * y[i] for (i, a) in enumerate(x)]`',
    'zip',
  ],
  ['the first size is `x.shape[0]`', 'len length'],
  ['the number of axes is `x.rank`', 'ndim rank'],
  // Values.
  ['a dtype converts: `f32(x)`', 'cast astype asfloat'],
  ['values never change, so none is copied: `let y = x`', 'copy clone deepcopy'],
  ['write `tensor([1, 2, 3])`', 'array asarray astensor converttotensor fromnumpy'],
  ['one value everywhere is `full(value)`', 'fill fulllike'],
  ['numbers that are drawn in a step take a key: `normal(key: key)`', 'randn randomnormal standardnormal randnlike'],
  ['numbers that are drawn in a step take a key: `uniform(key: key)`', 'rand randomuniform random randlike'],
  ['write `grad(y, x)`', 'gradient gradients backward valueandgrad autograd gradienttape'],
  ['a variable is declared: `param w: f32[3] = zeros()`, or `state t: i32 = 0` where it is not trained', 'variable parameter getvariable'],
  ['layers are called one after the other: `g(f(x))`', 'sequential'],
  ['write `if c then a else b`', 'cond ifelse'],
  ['write `const pi = 3.141592653589793`', 'pi'],
  ['write `1.0 / 0.0`', 'inf infinity'],
  ['write `0.0 / 0.0`', 'nan'],
  ['write `true`', 'true'],
  ['write `false`', 'false'],
  ['write `summary scalar("loss", loss)`', 'summary addscalar addhistogram'],
  ['a function has no effects: return the value, or fetch it by its name', 'print printf println console'],
  ['a model’s members are named alone: `w`', 'self this'],
];

/** What other languages call our dtypes. */
export const foreignDTypes: ReadonlyMap<string, DType> = new Map(
  Object.entries({
    float: 'f32',
    double: 'f64',
    int: 'i32',
    long: 'i64',
    number: 'f32',
    boolean: 'bool',
    float32: 'f32',
    float64: 'f64',
    float16: 'f16',
    bfloat16: 'bf16',
    float8: 'f8e4m3',
    float8_e4m3fn: 'f8e4m3',
    float8_e5m2: 'f8e5m2',
    int8: 'i8',
    int16: 'i16',
    int32: 'i32',
    int64: 'i64',
    uint8: 'u8',
    uint16: 'u16',
    uint32: 'u32',
    uint64: 'u64',
    byte: 'u8',
    short: 'i16',
    half: 'f16',
  } as const),
);

/** What others call a tensor of any kind. */
export const tensorWords: ReadonlySet<string> = new Set([
  'Tensor',
  'tensor',
  'Array',
  'array',
  'ndarray',
  'NDArray',
  'Matrix',
  'Vector',
  'Float32Array',
]);

/** Others’ words for no value at all. */
export const nothings: ReadonlySet<string> = new Set(['None', 'null', 'undefined', 'nil', 'NULL', 'Nothing', 'nullptr']);

/** What stands before the functions of others. */
export const prefixes: ReadonlySet<string> = new Set('np numpy tf torch jnp jax lax nn F keras K Math math scipy sp optax flax'.split(' '));

/** What instances are asked for elsewhere. */
export const callWords: ReadonlySet<string> = new Set(['forward', 'apply', '__call__', 'predict']);

/** Others’ names of arguments; where the callee has several of ours, the first counts. */
export const argumentNames: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries({
    dim: ['axis', 'axes'],
    dims: ['axis', 'axes'],
    axes: ['axis'],
    keepdim: ['keepDims'],
    perm: ['axes'],
    permutation: ['axes'],
    learningrate: ['lr'],
    stepsize: ['lr'],
    eps: ['epsilon'],
    weightdecay: ['decay'],
    activation: ['act'],
    activationfn: ['act'],
    numclasses: ['classes'],
    nclasses: ['classes'],
    depth: ['classes'],
    min: ['low'],
    amin: ['low'],
    minval: ['low'],
    max: ['high'],
    amax: ['high'],
    maxval: ['high'],
    loc: ['mean'],
    mu: ['mean'],
    scale: ['std'],
    stddev: ['std'],
    sigma: ['std'],
    seed: ['key'],
    rng: ['key'],
    p: ['rate'],
    prob: ['rate'],
    indices: ['ids'],
    index: ['ids'],
    numsplits: ['parts'],
    sections: ['parts'],
    chunks: ['parts'],
    condition: ['mask'],
    maxnorm: ['limit'],
    clipnorm: ['limit'],
    y: ['labels', 'targets'],
    target: ['targets', 'labels'],
    label: ['labels', 'targets'],
    input: ['x'],
    size: ['shape'],
  }),
);
