// Deep models, as texts. In: a depth, sizes. Out: TDSL programs with one entry, `train`, and what a peer needs to build the same.
// Holds: a model of depth n has n like parts; the ways of writing one differ in nothing but the text.

export interface ScaleFeed {
  readonly name: string;
  readonly dtype: 'f32' | 'i32';
  readonly shape: readonly number[];
  /** Integers are at least 0 and less than this. */
  readonly below: number;
}

/** How the parts stand in the text: as a list, each by its name, as a comprehension. */
export const writings = ['list', 'names', 'comprehension'] as const;
export type Writing = (typeof writings)[number];

export interface ScaleModel {
  /** Unique. */
  readonly name: string;
  readonly family: Family;
  readonly depth: number;
  readonly writing: Writing;
  readonly text: string;
  /** By name, as peers know them. */
  readonly sizes: Readonly<Record<string, number>>;
  readonly feeds: readonly ScaleFeed[];
}

export type Family = 'perceptron' | 'gpt' | 'realnvp';

const training = `import { softmaxCrossEntropy } from "std/loss"
import { adam } from "std/optim"
`;

export interface PerceptronSizes {
  readonly batch: number;
  /** Of the rows and of every hidden layer. */
  readonly width: number;
  readonly classes: number;
}

/** `depth` hidden layers with relu, softmax cross entropy, Adam. */
export function perceptron(
  depth: number,
  writing: Writing = 'list',
  { batch, width, classes }: PerceptronSizes = { batch: 50, width: 64, classes: 10 },
): ScaleModel {
  const layer = `Dense<${width}, ${width}>(act: relu)`;
  const numbers = Array.from({ length: depth }, (_, at) => at + 1);
  const folded = 'fold layer in layers with h = x { layer(h) }';
  const [layers, hidden] = {
    list: [`layers = [\n${`  ${layer},\n`.repeat(depth)}]`, folded],
    names: [
      numbers.map((number) => `layer${number} = ${layer}`).join('\n'),
      numbers.reduce((inner, number) => `layer${number}(${inner})`, 'x'),
    ],
    comprehension: [`layers = [${layer} for i in 0..${depth}]`, folded],
  }[writing] as [string, string];
  return {
    name: `perceptron-${depth}${writing === 'list' ? '' : `-${writing}`}`,
    family: 'perceptron',
    depth,
    writing,
    sizes: { batch, width, classes },
    feeds: [
      { name: 'x', dtype: 'f32', shape: [batch, width], below: 0 },
      { name: 'y', dtype: 'i32', shape: [batch], below: classes },
    ],
    text: `// A perceptron of ${depth} hidden layers.
import { Dense, relu } from "std/nn"
${training}
${layers}
last = Dense<${width}, ${classes}>()

export step train<B>(x: f32[B, ${width}], y: i32[B]): { loss: f32 } {
  let h = ${hidden}
  let loss = mean(softmaxCrossEntropy(last(h), y))
  minimize loss with adam(lr: 1e-3)
  return { loss }
}
`,
  };
}

export interface GptSizes {
  readonly batch: number;
  readonly context: number;
  readonly width: number;
  readonly heads: number;
  readonly words: number;
}

/** `depth` blocks of attention and a perceptron, each behind a normalization; words and places are learnt, words tied; Adam. */
export function gpt(
  depth: number,
  { batch, context, width, heads, words }: GptSizes = { batch: 8, context: 32, width: 64, heads: 4, words: 64 },
): ScaleModel {
  const each = width / heads;
  return {
    name: `gpt-${depth}`,
    family: 'gpt',
    depth,
    writing: 'list',
    sizes: { batch, context, width, heads, words },
    feeds: [
      { name: 'x', dtype: 'i32', shape: [batch, context], below: words },
      { name: 'y', dtype: 'i32', shape: [batch, context], below: words },
    ],
    text: `// A GPT of ${depth} blocks.
import { Dense, LayerNorm, gelu } from "std/nn"
${training}
dim Context = ${context}
dim Width = ${width}
dim Heads = ${heads}
dim Each = ${each}
dim Words = ${words}

model Block {
  norm1 = LayerNorm<Width>()
  norm2 = LayerNorm<Width>()
  query = Dense<Width, Width>()
  key = Dense<Width, Width>()
  value = Dense<Width, Width>()
  out = Dense<Width, Width>()
  up = Dense<Width, 4 * Width>(act: gelu)
  down = Dense<4 * Width, Width>()

  fn call<B>(x: f32[B, Context, Width]): f32[B, Context, Width] {
    let z = norm1(x)
    let q = transpose(reshape(query(z), [B, Context, Heads, Each]), [0, 2, 1, 3])
    let k = transpose(reshape(key(z), [B, Context, Heads, Each]), [0, 2, 3, 1])
    let v = transpose(reshape(value(z), [B, Context, Heads, Each]), [0, 2, 1, 3])
    let seen = iota([Context, Context], axis: 1) <= iota([Context, Context], axis: 0)
    let weights = softmax(where(seen, q @ k * ${1 / Math.sqrt(each)}, -1e30))
    let y = x + out(reshape(transpose(weights @ v, [0, 2, 1, 3]), [B, Context, Width]))
    return y + down(up(norm2(y)))
  }
}

param words: f32[Words, Width] = normal(0, 0.02)
param places: f32[Context, Width] = normal(0, 0.02)
blocks = [
${'  Block(),\n'.repeat(depth)}]
last = LayerNorm<Width>()

export step train<B>(x: i32[B, Context], y: i32[B, Context]): { loss: f32 } {
  let h = fold block in blocks with h = words[x] + places { block(h) }
  let logits = reshape(last(h) @ transpose(words), [B * Context, Words])
  let loss = mean(softmaxCrossEntropy(logits, reshape(y, [B * Context])))
  minimize loss with adam(lr: 1e-3)
  return { loss }
}
`,
  };
}

export interface FlowSizes {
  readonly batch: number;
  /** Of the hidden layer of every net. */
  readonly width: number;
}

/** `depth` affine couplings of two features, each with two nets of two layers: Dinh and others, Density estimation using Real NVP, 2017. */
export function realNvp(depth: number, { batch, width }: FlowSizes = { batch: 256, width: 64 }): ScaleModel {
  return {
    name: `realnvp-${depth}`,
    family: 'realnvp',
    depth,
    writing: 'list',
    sizes: { batch, width },
    feeds: [{ name: 'x', dtype: 'f32', shape: [batch, 2], below: 0 }],
    text: `// A RealNVP of ${depth} couplings.
import { Dense, relu } from "std/nn"
import { adam } from "std/optim"

dim Width = ${width}

model Coupling {
  scale1 = Dense<1, Width>(act: relu)
  scale2 = Dense<Width, 1>(act: tanh)
  shift1 = Dense<1, Width>(act: relu)
  shift2 = Dense<Width, 1>()

  fn call<B>(x: f32[B, 2]): { z: f32[B, 2], stretch: f32[B, 1] } {
    let kept = x[:, 0:1]
    let stretch = scale2(scale1(kept))
    let changed = x[:, 1:2] * exp(stretch) + shift2(shift1(kept))
    return { z: concat([changed, kept], axis: 1), stretch }
  }
}

couplings = [
${'  Coupling(),\n'.repeat(depth)}]

export step train<B>(x: f32[B, 2]): { loss: f32 } {
  let none: f32[B, 1] = zeros()
  let (z, stretch) = fold coupling in couplings with (h, total) = (x, none) {
    let next = coupling(h)
    (next.z, total + next.stretch)
  }
  let likelihood = sum(stretch, axis: 1) - 0.5 * sum(square(z), axis: 1) - ${Math.log(2 * Math.PI)}
  let loss = -mean(likelihood)
  minimize loss with adam(lr: 1e-3)
  return { loss }
}
`,
  };
}

const depths = { perceptron: [1, 4, 16, 64, 128, 512], gpt: [1, 2, 4, 12], realnvp: [4] } as const;

/** All that is measured; `quick`: those of small depth. */
export function scaleModels(quick: boolean): readonly ScaleModel[] {
  const upTo = <Depth extends number>(all: readonly Depth[], most: number): readonly Depth[] =>
    quick ? all.filter((depth) => depth <= most) : all;
  const inThreeWays = quick ? 16 : 64;
  return [
    ...upTo(depths.perceptron, 16).flatMap((depth) =>
      depth === inThreeWays ? writings.map((writing) => perceptron(depth, writing)) : [perceptron(depth)],
    ),
    ...upTo(depths.gpt, 2).map((depth) => gpt(depth)),
    ...depths.realnvp.map((depth) => realNvp(depth)),
  ];
}
