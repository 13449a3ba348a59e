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
  'std/nn': {
    identity: of('identity(z)'),
    relu: of('relu(z)'),
    leakyRelu: of('leakyRelu(z, 0.1)'),
    elu: of('elu(z, s)'),
    softplus: of('softplus(z)'),
    silu: of('silu(z)'),
    gelu: of('gelu(z)'),
    mish: of('mish(z)'),
    softsign: of('softsign(z)'),
    Dense: of('layer(z)', 'layer = Dense<3, 4, f64>(act: tanh)'),
    Embedding: of('layer([1, 0]) * z', 'layer = Embedding<5, 3, f64>()'),
    LayerNorm: of('layer(z)', 'layer = LayerNorm<3, f64>()'),
    BatchNorm: of('layer(z)', 'layer = BatchNorm<3, f64>()'),
    dropout: of('dropout(z, 0.5, key: 3)'),
  },
  'std/loss': {
    softmaxCrossEntropy: of('softmaxCrossEntropy(z, [2, 0])'),
    binaryCrossEntropy: of('binaryCrossEntropy(z, c * c)'),
    mse: of('mse(z, c)'),
    mae: of('mae(z, c)'),
    huber: of('huber(z, c, delta: 0.3)'),
    hinge: of('hinge(z, sign(stopGradient(c)))'),
    klDivergence: of('klDivergence(logSoftmax(z), logSoftmax(c))'),
    accuracy: constant('accuracy(z, [1, 2])'),
    binaryAccuracy: constant('binaryAccuracy(z, c)'),
  },
  'std/optim': {
    sgd: of('sgd(lr: rate)'),
    momentum: of('momentum(lr: rate, beta: share)'),
    nesterov: of('nesterov(lr: rate, beta: share)'),
    adam: of('adam(lr: rate, beta1: share, beta2: 0.9)'),
    adamW: of('adamW(lr: rate, beta1: share, beta2: 0.9, decay: share)'),
    adagrad: of('adagrad(lr: rate)'),
    adadelta: of('adadelta(lr: rate, rho: share)'),
    rmsprop: of('rmsprop(lr: rate, rho: share, momentum: 0.5)'),
    ftrl: of('ftrl(lr: rate, l1: 0.1 * share, l2: share)'),
    clipByGlobalNorm: of('clipByGlobalNorm([z, w], 0.7)[0] * clipByGlobalNorm([z * z, c], 90.0)[1]'),
    exponentialDecay: of('exponentialDecay(t, 3 * t, 0.5 + t, 2.0)'),
    cosineDecay: of('cosineDecay(t, 3 * t, 5.0, floor: 0.1 * t)'),
    warmUp: of('warmUp(t, 3 * t, 20.0)'),
    inverseTimeDecay: of('inverseTimeDecay(t, 3 * t, t)'),
  },
};

/** The line that makes a name of the library known. */
export const importOf = (part: string, name: string): string => (part === 'std/prelude' ? '' : `import { ${name} } from "${part}"`);
