// What tests of derivatives say in the standard library's names. In: nothing. Out: per part of the library, for every declaration a use of
// it, or that it has no derivative.
// Holds: uses are of z: f64[2, 3], c: f64[2, 3], w: f64[3, 3], x: f64[3], s: f64, and t: f32 where a function takes no other float.

export interface Sample {
  /** An expression; of an optimizer, what stands behind `with`. */
  readonly text: string;
  /** What it needs at the top of the file. */
  readonly needs?: string;
  /** Nothing of it can be differentiated: integers, comparisons, numbers drawn or fixed. */
  readonly constant?: true;
}

const constant = (text: string, needs?: string): Sample => ({ text, constant: true, ...(needs === undefined ? {} : { needs }) });
const of = (text: string, needs?: string): Sample => ({ text, ...(needs === undefined ? {} : { needs }) });
const filled = (T: string, text: string, params = ''): string => `fn filled(${params}): ${T} = ${text}`;

const matrix = 'fn matrix(a: f64[2, 3], b: f64[2, 3]): f64[2, 2] = a @ transpose(b) + 2 * eye()';

export const samples: Readonly<Record<string, Readonly<Record<string, Sample>>>> = {
  'std/prelude': {
    wide: of('wide(z)'),
    mean: of('mean(z, axis: 1)'),
    variance: of('variance(z, axis: 0)'),
    std: of('std(z)'),
    norm: of('norm(z)'),
    argmax: constant('argmax(z, axis: 1)'),
    argmin: constant('argmin(z, axis: 0)'),
    logSumExp: of('logSumExp(z, axis: 1)'),
    softmax: of('softmax(z)'),
    logSoftmax: of('logSoftmax(z, axis: 0)'),
    clip: of('clip(z, -0.4, 0.7)'),
    dot: of('dot(z[0], x)'),
    outer: of('outer(z[1], x)'),
    oneHot: constant('oneHot(i32(z), 4)'),
    flatten: of('flatten(z) * flatten(c)'),
    trace: of('trace(transpose(z) @ c)'),
    eye: constant('filled()', filled('f64[3, 3]', 'eye()')),
    arange: constant('f64(arange(3))'),
    zeros: constant('filled()', filled('f64[2, 3]', 'zeros()')),
    ones: constant('filled()', filled('f64[2, 3]', 'ones()')),
    full: of('z * filled(s)', filled('f64[2, 3]', 'full(a)', 'a: f64')),
    constant: of('z * filled(s)', filled('f64[2, 3]', 'constant(a)', 'a: f64')),
    zerosLike: constant('zerosLike(z)'),
    onesLike: constant('onesLike(z)'),
    unit: constant('filled()', filled('f64[2, 3]', 'unit(key: 5)')),
    unit53: constant('unit53(i32(z), 5)'),
    uniform: of('z * filled(s, 2 + s)', filled('f64[2, 3]', 'uniform(a, b, key: 5)', 'a: f64, b: f64')),
    normal: of('z * filled(s, 2 + s)', filled('f64[2, 3]', 'normal(a, b, key: 5)', 'a: f64, b: f64')),
    boxMuller: of('boxMuller(0.2 + 0.5 * sigmoid(z), c * z)'),
    narrowNormal: of('filled(t)', filled('f32[2, 3]', 'narrowNormal(a, 2 * a, 5)', 'a: f32')),
    glorotUniform: constant('drawn > 0', 'param drawn: f64[2, 3] = glorotUniform()'),
    glorotNormal: constant('drawn > 0', 'param drawn: f64[2, 3] = glorotNormal()'),
    heUniform: constant('drawn > 0', 'param drawn: f64[2, 3] = heUniform()'),
    heNormal: constant('drawn > 0', 'param drawn: f64[2, 3] = heNormal()'),
  },
  'std/arrays': {
    swapAxes: of('swapAxes(z, 0, 1)'),
    diagonal: of('diagonal(z @ transpose(c))'),
    tril: of('tril(z) * c'),
    triu: of('triu(z, 1) * z'),
    flip: of('flip(z, axis: 1) * c'),
    roll: of('roll(z, 2, axis: 1) * c'),
    rolled: of('rolled(z, 1, -1, 1) * c'),
    repeat: of('square(repeat(z, 2, axis: 0))'),
    tile: of('square(tile(z, [2, 3]))'),
    takeAlong: of('takeAlong(z, [[0, 2], [1, 1]], axis: 1)'),
    pickLast: of('pickLast(z, [[0, 2], [1, 1]])'),
    argsort: constant('argsort(z)'),
    sort: of('sort(z, axis: 1) * c + sort(z, axis: 0, descending: true)'),
    topK: of('topK(z, 2)[0]'),
    cumsum: of('cumsum(z, axis: 1) * cumsum(z, axis: 0)'),
    cumprod: of('cumprod(z, axis: 1)'),
    isFloating: constant('if isFloating(f64) then 1.0 else 0.0'),
    runningFloats: of('runningFloats(z) * c'),
    runningSum: constant('runningSum(i32(z))'),
    runningProduct: constant('runningProduct(i32(z))'),
  },
  'std/linear-algebra': {
    rowsAt: of('rowsAt(z, [1, 0]) * c'),
    solveFactored: of('solveFactored(lu(matrix(z, c))[0], lu(matrix(z, c))[1], c)', matrix),
    solveTransposed: of('solveTransposed(lu(matrix(z, c))[0], lu(matrix(z, c))[1], c)', matrix),
    solveMatrices: of('solveMatrices(matrix(z, c), c)', matrix),
    solve: of('solve(matrix(z, c), c) * sum(solve(matrix(z, z), z[:, 0]))', matrix),
    solveTriangular: of('solveTriangular(matrix(z, c), z) * sum(solveTriangular(matrix(z, c), z[:, 1], upper: true))', matrix),
    solveTriangles: of('solveTriangles(matrix(z, c), z, false)', matrix),
    parity: constant('parity([1, 0])'),
    det: of('det(matrix(z, c))', matrix),
    logdet: of('logdet(matrix(z, z))', matrix),
    cholesky: of('cholesky(matrix(z, z))', matrix),
  },
  'std/nn': {
    identity: of('identity(z)'),
    relu: of('relu(z)'),
    leakyRelu: of('leakyRelu(z, 0.1)'),
    elu: of('elu(z, s)'),
    softplus: of('softplus(z)'),
    silu: of('silu(z)'),
    gelu: of('gelu(z) + gelu(z, approximate: "tanh")'),
    mish: of('mish(z)'),
    softsign: of('softsign(z)'),
    selu: of('selu(z)'),
    celu: of('celu(z, alpha: 1.5)'),
    hardSwish: of('hardSwish(z)'),
    logSigmoid: of('logSigmoid(z)'),
    prelu: of('prelu(z, c[0])'),
    glu: of('glu(concat([z, c * z], axis: 1))'),
    Dense: of('layer(z)', 'layer = Dense<3, 4, f64>(act: tanh)'),
    Embedding: of('layer([1, 0]) * z', 'layer = Embedding<5, 3, f64>()'),
    LayerNorm: of('layer(z)', 'layer = LayerNorm<3, f64>()'),
    BatchNorm: of('layer(z)', 'layer = BatchNorm<3, f64>()'),
    dropout: of('dropout(z, 0.5, key: 3)'),
  },
  'std/loss': {
    softmaxCrossEntropy: of(
      'softmaxCrossEntropy(z, [2, 0]) + softmaxCrossEntropy(z, [2, 0], labelSmoothing: 0.1, ignoreIndex: 0, weights: c[0] + 2)',
    ),
    binaryCrossEntropy: of('binaryCrossEntropy(z, c * c)'),
    focalLoss: of('focalLoss(z, c * c)'),
    mse: of('mse(z, c)'),
    mae: of('mae(z, c)'),
    huber: of('huber(z, c, delta: 0.3)'),
    gaussianNll: of('gaussianNll(z, c, 1 + c * c)'),
    hinge: of('hinge(z, sign(stopGradient(c)))'),
    klDivergence: of('klDivergence(logSoftmax(z), logSoftmax(c))'),
    tripletLoss: of('tripletLoss(z, c, c * c)'),
    cosineEmbeddingLoss: of('cosineEmbeddingLoss(z, c, [1, -1], margin: -1)'),
    infoNce: of('infoNce(z, c, temperature: 0.5)'),
    accuracy: constant('accuracy(z, [1, 2])'),
    binaryAccuracy: constant('binaryAccuracy(z, c)'),
  },
  'std/optim': {
    sgd: of('sgd(lr: rate)'),
    momentum: of('momentum(lr: rate, beta: share)'),
    nesterov: of('nesterov(lr: rate, beta: share)'),
    adam: of('adam(lr: rate, beta1: share, beta2: 0.9)'),
    adamW: of('adamW(lr: rate, beta1: share, beta2: 0.9, decay: share)'),
    nadam: of('nadam(lr: rate, beta1: share, beta2: 0.9)'),
    radam: of('radam(lr: rate, beta1: share, beta2: 0.9)'),
    adamax: of('adamax(lr: rate, beta1: share, beta2: 0.9)'),
    // It goes by signs, which have no slope.
    lion: constant('lion(lr: rate, beta1: share, decay: share)'),
    lamb: of('lamb(lr: rate, beta1: share, beta2: 0.9, decay: share)'),
    adafactor: of('adafactor(lr: rate)'),
    adagrad: of('adagrad(lr: rate)'),
    adadelta: of('adadelta(lr: rate, rho: share)'),
    rmsprop: of('rmsprop(lr: rate, rho: share, momentum: 0.5)'),
    ftrl: of('ftrl(lr: rate, l1: 0.1 * share, l2: share)'),
    clipByGlobalNorm: of('clipByGlobalNorm([z, w], 0.7)[0] * clipByGlobalNorm([z * z, c], 90.0)[1]'),
    exponentialDecay: of('exponentialDecay(t, 3 * t, 0.5 + t, 2.0)'),
    cosineDecay: of('cosineDecay(t, 3 * t, 5.0, floor: 0.1 * t)'),
    warmUp: of('warmUp(t, 3 * t, 20.0)'),
    stepDecay: of('stepDecay(t, 3 * stopGradient(t), 0.5 + t, 2.0)'),
    polynomialDecay: of('polynomialDecay(t, 3 * t, 5.0, 2.0, floor: 0.1 * t)'),
    oneCycle: of('oneCycle(t, 3 * t, 20.0)'),
    halfCosine: of('halfCosine(t, 2 * t, 0.3 * t)'),
    cosineRestarts: of('cosineRestarts(t, 3 * t, 5.0)'),
    growingRestarts: of('growingRestarts(t, 3 * t, 2.0, 2.0, 0.1 * t)'),
    inverseTimeDecay: of('inverseTimeDecay(t, 3 * t, t)'),
  },
};

const imported = ['std/nn', 'std/loss', 'std/optim'];

/** The line that makes a name of the library known. */
export const importOf = (part: string, name: string): string => (imported.includes(part) ? `import { ${name} } from "${part}"` : '');
