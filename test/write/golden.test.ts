// How derivatives read. In: small programs. Out: the texts that `tfc derive` writes of them, as they stand on paper.

import { describe, expect, it } from 'vitest';
import { derive } from '../../src/driver/derive/derive.js';
import { moduleOf } from '../check/support.js';
import { entryOf } from './agree.js';

function derived(program: string, of: string, by: readonly string[]): string {
  const file = 'model.tdsl';
  const { module, result } = moduleOf(program, { path: file });
  const { text } = derive({ module, build: result.build, open: result.open }, file, { of, by }, new Map([[file, program]]));
  expect(entryOf(text).name).toBe(`d${of.charAt(0).toUpperCase()}${of.slice(1)}`);
  return text;
}

describe('derivatives on paper', () => {
  it('writes the product rule', () => {
    const program = `export fn area<N>(width: f64[N], height: f64[N]): f64 {
  let sides = width * height
  let grown = sides * exp(sides)
  return sum(grown)
}
`;
    expect(derived(program, 'area', ['width', 'height']))
      .toBe(`/// The derivative of \`area\` in \`area\` by \`width\`, \`height\`, as \`tfc derive\` writes it.
export fn dArea<N>(width: f64[N], height: f64[N]): { dArea_dwidth: f64[N], dArea_dheight: f64[N] } {
  // from line 2: let sides = width * height
  let sides = width * height
  // from line 3: let grown = sides * exp(sides)
  let t = exp(sides)
  let grown = sides * t

  // back through line 3: let grown = sides * exp(sides)
  let dArea_dsides = t + grown
  // back through line 2: let sides = width * height
  let dArea_dwidth = dArea_dsides * height
  let dArea_dheight = dArea_dsides * width
  return { dArea_dwidth, dArea_dheight }
}
`);
  });

  it('writes layers and a cross-entropy by the names of the program', () => {
    const program = `import { Dense, relu } from "std/nn"
import { softmaxCrossEntropy } from "std/loss"

model Mlp<Classes> {
  hidden = Dense<4, 8>(act: relu)
  output = Dense<8, Classes>()

  fn logits<B>(x: f32[B, 4]): f32[B, Classes] = output(hidden(x))
}

net = Mlp<3>()

export fn loss<B>(x: f32[B, 4], y: i32[B]): f32 {
  let logits = net.logits(x)
  return mean(softmaxCrossEntropy(logits, y))
}
`;
    expect(derived(program, 'loss', ['net.output.w', 'net/hidden/b']))
      .toBe(`/// The derivative of \`loss\` in \`loss\` by \`net/output/w\`, \`net/hidden/b\`, as \`tfc derive\` writes it.
/// \`hidden_w\` is \`net/hidden/w\`, \`hidden_b\` is \`net/hidden/b\`, \`output_w\` is \`net/output/w\`,
/// \`output_b\` is \`net/output/b\`.
export fn dLoss<B>(
  x: f32[B, 4],
  y: i32[B],
  hidden_w: f32[4, 8],
  hidden_b: f32[8],
  output_w: f32[8, 3],
  output_b: f32[3],
): { dLoss_doutput_w: f32[8, 3], dLoss_dhidden_b: f32[8] } {
  // from line 8: fn logits<B>(x: f32[B, 4]): f32[B, Classes] = output(hidden(x))
  let hidden = max(x @ hidden_w + hidden_b, 0)
  // from line 15: return mean(softmaxCrossEntropy(logits, y))
  let known = checkIndex(y, 3)
  let isLabel = iota([B, 3], axis: 1) == expandDims(known, axis: 1)
  // from line 8: fn logits<B>(x: f32[B, 4]): f32[B, Classes] = output(hidden(x))
  let logits = hidden @ output_w + output_b
  // from line 15: return mean(softmaxCrossEntropy(logits, y))
  let shifted = logits - max(logits, axis: 1, keepDims: true)
  let t = exp(shifted)

  // back through line 15: return mean(softmaxCrossEntropy(logits, y))
  let dLoss_dpicked = broadcastTo(f32(-1) / B, [B, 3])
  let dLoss_dtotal = broadcastTo(f32(1) / B, [B])
  let dLoss_dlogits =
    where(isLabel, dLoss_dpicked, 0) + expandDims(dLoss_dtotal / sum(t, axis: 1), axis: 1) * t
  // back through line 8: fn logits<B>(x: f32[B, 4]): f32[B, Classes] = output(hidden(x))
  let dLoss_doutput_w = transpose(hidden) @ dLoss_dlogits
  let dLoss_dhidden_b = sum(where(hidden > 0, dLoss_dlogits @ transpose(output_w), 0), axis: 0)
  return { dLoss_doutput_w, dLoss_dhidden_b }
}
`);
  });

  it('writes a loop as one forwards and one back', () => {
    const program = `dim D = 3
param w: f64[D, D] = glorotUniform()

export fn energy<T>(steps: f64[T, D], start: f64[D]): f64 {
  let last = fold step in steps with state = start { tanh(w @ state + step) }
  return sum(square(last))
}
`;
    expect(derived(program, 'energy', ['w', 'start']))
      .toBe(`/// The derivative of \`energy\` in \`energy\` by \`w\`, \`start\`, as \`tfc derive\` writes it.
export fn dEnergy<T>(steps: f64[T, 3], start: f64[3], w: f64[3, 3]): {
  dEnergy_dw: f64[3, 3],
  dEnergy_dstart: f64[3],
} {
  // from line 5: let last = fold step in steps with state = start { tanh(w @ stat…
  let (last, zs) = scan i in 0..T with last = start { yield (tanh(w @ last + steps[i]), last) }

  // back through line 6: return sum(square(last))
  let dEnergy_dlast = 2 * last
  // back through line 5: let last = fold step in steps with state = start { tanh(w @ stat…
  let d = transpose(w)
  let d1 = i32(T) - 1
  let (dEnergy_dstart, dEnergy_dw) = fold i1 in 0..T with (dEnergy_dstart, dEnergy_dw) = (
    dEnergy_dlast,
    broadcastTo(f64(0), [3, 3]),
  ) {
    let d2 = d1 - i1
    let d3 = dEnergy_dstart * (1 - square(tanh(w @ zs[d2] + steps[d2])))
    (d @ d3, dEnergy_dw + expandDims(d3, axis: 1) * zs[d2])
  }
  return { dEnergy_dw, dEnergy_dstart }
}
`);
  });

  it('writes a convolution in index notation, sizes as they are declared, and narrow products', () => {
    const windows = `export fn smooth<T, K>(signal: f64[T + K - 1], w: f64[K]): f64 {
  let blurred = [t in 0..T] => sum[k in 0..K](signal[t + k] * w[k])
  return sum(blurred * blurred)
}
`;
    expect(derived(windows, 'smooth', ['w'])).toContain('sum[');
    const halves = `export fn even<D>(x: f32[D]): f32 where D % 2 == 0 {
  let halves = reshape(x, [2, D / 2])
  return sum(halves[0] * halves[1])
}
`;
    expect(derived(halves, 'even', ['x'])).toContain('export fn dEven<D>(x: f32[D]): f32[D] where D % 2 == 0 {');
    const narrow = `param w: f32[4, 3] = glorotUniform()
export fn narrow<B>(x: f32[B, 4]): f32 {
  precision bf16 { let z = x @ w }
  return sum(square(z))
}
`;
    expect(derived(narrow, 'narrow', ['w'])).toContain('let dNarrow_dw = transpose(t) @ f32(bf16(dNarrow_dz))');
  });

  it('keeps random numbers, defaults and values apart from names of the language', () => {
    const program = `export fn loss<B>(x: f32[B], key: i64, rate: f32 = 0.5): f32 {
  let u: f32[B] = unit(key: key)
  let max = where(u < rate, x * x, 0)
  return sum(max * max)
}
`;
    const text = derived(program, 'loss', ['x']);
    expect(text).toMatch(/randomBits\(\[B\], key: key, stream: -?\d+\)/);
    expect(text).toContain('rate: f32 = 0.5');
    expect(text).toMatch(/^ {2}let max1 = where/m);
  });
});

describe('what is refused', () => {
  const program = `param w: f64[3] = zeros()
export fn first(x: f64[3], n: i32): { value: f64, count: i32, choice: f64 } {
  let error = w * x
  let count = n + 1
  return { value: sum(error), count, choice: sum(floor(error)) }
}
export fn second(x: f64): { value: f64, total: f64 } {
  let total = x * 2
  return { value: x, total: total * 3 }
}
export fn endless(x: f64): f64 = while z < 10.0 with z = x { z * 2.0 }
export fn any<...S>(x: f64[...S]): f64 = sum(x * x)
`;
  const file = 'model.tdsl';
  const { module, result } = moduleOf(program, { path: file });
  it.each([
    [{ entry: 'third', of: 'value', by: ['x'] }, 'unknown-entry', '`third`'],
    [{ entry: 'first', of: 'loss', by: ['x'] }, 'unknown-name', 'nothing in `first` is called `loss`'],
    [{ entry: 'first', of: 'value', by: ['v'] }, 'unknown-name', '`v`'],
    [{ of: 'value', by: ['x'] }, 'ambiguous-name', 'in `first`, `second`'],
    [{ of: 'total', by: ['x'] }, 'ambiguous-name', 'in `second`'],
    [{ entry: 'first', of: 'count', by: ['x'] }, 'not-differentiable', '`count` is i32'],
    [{ entry: 'first', of: 'value', by: ['n'] }, 'not-differentiable', '`n` is i32'],
    [{ entry: 'second', of: 'value', by: ['w'] }, 'not-differentiable', '`value` does not depend on `w`'],
    [{ entry: 'first', of: 'choice', by: ['w'] }, 'not-differentiable', '`floor`'],
    [{ of: 'endless', by: ['x'] }, 'not-differentiable', '`while`'],
    [{ entry: 'any', of: 'any', by: ['x'] }, 'unsupported-feature', 'any rank'],
  ])('%j is %s', (request, code, said) => {
    const refused = (): unknown => derive({ module, build: result.build, open: result.open }, file, request, new Map([[file, program]]));
    expect(refused).toThrow(`${code}: `);
    expect(refused).toThrow(said);
  });
});
