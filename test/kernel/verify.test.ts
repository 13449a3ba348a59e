// The verifier of kernel IR: good programs pass, and each rule refuses a program that breaks it alone, by its name.

import { describe, expect, it } from 'vitest';
import { Dim } from '../../src/base/index.js';
import { ownCode, parseProgram, type Program, verifyProgram } from '../../src/kernel/index.js';
import { blocks, chained, groups, mixed, scheduled, softmax, tiles, warps } from './samples.js';

const kernel = (body: string): string => `kernel k "k"\n reads 0 writes 0 flops 0\n{\n${body}\n}\n`;
const program = (body: string): Program =>
  parseProgram(`program p
dims B
feed 0 x: f32[B, 4]
feed 1 ids: i32[B]
variable 0 w: f32[4]
temporary t: f32[B]
output 0 y: f32[B, 4]
${kernel(body)}`);

/** Two kernels of one code: the second one with `uses`. */
const shared = (uses: string): Program =>
  parseProgram(`program p
dims B
variable 0 w: f32[4]
variable 1 v: f32[4]
variable 2 long: f32[5]
temporary t: f32[4]
temporary late: f32[4]
output 0 y: f32[4]
output 1 z: f32[4]
kernel a "a" reads 0 writes 0 flops 0
{ for i in 0..4 { t[i] = w[i] } }
kernel b "b" reads 0 writes 0 flops 0
{ for i in 0..4 { y[i] = t[i] + w[i] } }
kernel c "c" reads 0 writes 0 flops 0
  like b ${uses}
`);

/** Of one warp, with as many rows and with other ones. */
const twoSums = 'acc s: f32[2, 4, 32] = f32(0)\nacc r: f32[4, 4, 32] = f32(0)\n';
/** For products of four warps: 64 rows, 32 columns. */
const fours = 'share a: bf16[64, 64] swizzled\nacc s: f32[2, 16, 128] = f32(0)\nacc r: f32[2, 16, 128] = f32(0)\n';

describe('verifier', () => {
  it.each(Object.entries({ softmax, tiles, mixed, scheduled, blocks, warps, chained, groups }))('accepts %s', (_, text) => {
    expect(() => verifyProgram(parseProgram(text))).not.toThrow();
  });

  it.each([
    ['read-first', 'y[0, 0] = t[0]'],
    ['feed-written', 'x[0, 0] = f32(1)'],
    ['loop-names', 'for i in 0..2 { for i in 0..2 { } }'],
    ['loop-names', 'for i in 0..2 { }\nfor i in 0..2 { }'],
    ['shadowing', 'let a = f32(1)\nlet a = f32(2)'],
    ['shadowing', 'for i in 0..2 { acc i: f32 = f32(1) }'],
    ['rank', 'y[0] = f32(1)'],
    ['rank', 'acc s: f32[2] = f32(0)\ns += f32(1)'],
    ['rank', 't[ids[0]] = f32(1)'],
    ['dtype', 't[0] = i32(1)'],
    ['dtype', 'if 1 { }'],
    ['dtype', 'acc s: f32 = f64(0)'],
    ['dtype', 'acc s: f32 = f32(0)\ns any= f32(0)'],
    ['dtype', 'for i in 0..ids[0] { }'],
    ['constant', 'let a = i32(0.5)'],
    ['constant', 'let a = bool(2)'],
    ['machine', 'let a = sqrt(1)'],
    ['machine', 'let a = f32(1) + 1'],
    ['machine', 'let a = sqrt(f32(1), f32(1))'],
    ['machine', 'let a = bitcast<i64>(f32(1))'],
    ['machine', 'let a = select(f32(1), f32(1), f32(2))'],
    ['machine', 'let a = bool(1) < bool(0)'],
    ['machine', 'let a = libm_exp(f32(1))'],
    ['parallel', 'for i in 0..2 { parallel for j in 0..2 { } }'],
    ['parallel', 'acc s: f32 = f32(0)\nparallel for i in 0..2 { s += f32(1) }'],
    ['vector', 'vector for i in 0..2 { vector for j in 0..2 { } }'],
    ['vector', 'vector for i in 0..2 { let a = i + 1\nif a > 1 { } }'],
    ['vector', 'vector for i in 0..2 { for j in 0..i { } }'],
    ['vector', 'vector for i in 0..2 { acc s: bool = bool(0)\nif s { } }'],
    ['unroll', 'unroll for i in 0..B { }'],
    ['limit', 'for i in 0..4 limit 4 { }'],
    ['limit', 'vector for i in 0..5 limit 4 { }'],
    ['least', 'vector for i in 0..B least 2 { }'],
    ['least', 'vector for i in 0..B limit 4 least 5 { }'],
    ['least', 'vector for i in 0..B limit 4 least 0 { }'],
    ['least', 'vector for i in 0..2 limit 4 least 3 { }'],
    ['limit', 'acc s: f32[4] = f32(0)\nvector for i in 0..4 { s[i] += f32(1) }'],
    ['lanes', 'acc s: f32 = f32(0)\nvector for i in 0..4 { s = f32(1) }'],
    ['lanes', 'acc s: f32 = f32(0)\nvector for i in 0..4 { s += f32(1)\nw[i] = s }'],
    ['width', 'unroll 4 for i in 0..4 { }'],
    ['width', 'vector 0 for i in 0..4 { }'],
    ['width', 'vector 12 for i in 0..4 { }'],
    ['width', `acc s: f32[4] = f32(0)\nvector 4 for i in 0..4 limit 4 { s[i] += f32(1) }\nvector 2 for j in 0..4 limit 4 { w[j] = s[j] }`],
    ['interleave', 'unroll interleave 4 for i in 0..4 { }'],
    ['interleave', 'vector 4 interleave 2 for i in 0..4 limit 4 { }'],
    ['interleave', 'vector 4 interleave 0 for i in 0..4 { }'],
    ['interleave', 'unroll straight for i in 0..4 { }'],
    ['interleave', 'vector 4 jam for i in 0..4 { }'],
    ['interleave', 'vector 4 interleave 2 jam for i in 0..4 { fetch w[i] }'],
    ['nontemporal', 'for i in 0..4 { nontemporal w[i] = f32(1) }'],
    ['nontemporal', 'vector 4 for i in 0..4 limit 4 { nontemporal w[i] = f32(1) }'],
    ['nontemporal', 'vector 4 for i in 0..4 { nontemporal w[i] = w[i] + f32(1) }'],
    ['nontemporal', 'vector 4 for i in 0..4 { nontemporal w[i + 1] = f32(1) }'],
    ['nontemporal', 'vector 8 for i in 0..4 { for k in 0..B { nontemporal y[k, i] = f32(1) } }'],
    ['nontemporal', 'vector 4 for k in 0..B { nontemporal y[k, 0] = f32(1) }'],
    ['nontemporal', 'for i in 0..4 ahead 1024 of w { y[i, i] = w[i] }'],
    ['nontemporal', 'vector 4 for i in 0..4 ahead 0 of w { y[0, i] = w[i] }'],
    ['nontemporal', 'vector 4 for i in 0..4 ahead 1024 of w { y[0, i] = f32(1) }'],
    ['rolled', 'vector 4 rolled for i in 0..4 { }'],
    ['rolled', 'vector 4 for i in 0..4 { unroll rolled for c in 0..4 { } }'],
    ['rolled', 'acc s: f32 = f32(0)\nunroll rolled for c in 0..4 { s += f32(1) }'],
    ['partials', 'acc s: f32 = f32(0)\nvector 4 for i in 0..4 partial s max= 1 of 4 { s += f32(1) }'],
    ['partials', 'acc s: f32 = f32(0)\nvector 4 for i in 0..4 partial s += 1 of 8 { s += f32(1) }'],
    ['partials', 'acc s: f32 = f32(0)\nvector 4 for i in 0..4 partial s += 0 of 4 { s += f32(1) }'],
    ['partials', 'acc s: f32 = f32(0)\nfor i in 0..4 partial s += 1 of 4 { vector 4 for j in 0..4 partial s += 1 of 4 { s += f32(1) } }'],
    ['partials', 'acc s: f32 = f32(0)\nfor i in 0..4 partial s += 1 of 4 { s += f32(1) }'],
    ['partials', 'acc s: f32 = f32(0)\nfor i in 0..4 partial s += 1 of 4 { w[i] = s }'],
    ['partials', 'acc s: f32 = f32(0)\nfor i in 0..4 partial s += 1 of 4 { s = f32(1) }'],
    ['partials', 'vector 4 for i in 0..4 { acc s: f32 = f32(0)\nfor j in 0..4 partial s += 1 of 4 { s += f32(1) } }'],
    ['transpose', 'for i in 0..4 { unroll transpose for c in 0..4 { } }'],
    ['transpose', 'vector 4 for i in 0..4 { for c in 0..4 { unroll transpose for d in 0..5 { } } }'],
    ['transpose', 'vector transpose for i in 0..4 { }'],
    ['blocks', 'for i in 0..B { for j in 0..B part i { } }'],
    ['blocks', 'for i in 0..B blocks B { }\nfor j in 0..B part i { }'],
    ['blocks', 'for i in 0..4 most 3 { }'],
    ['dtype', 'for i in 0..B when 1 { }'],
    ['when', 'vector for i in 0..B when B > 1 { }'],
    ['when', 'for i in 0..B when ids[0] > i32(0) { }'],
    ['when', 'let a = B > 1\nfor i in 0..B when a { }'],
    ['dims', 'for i in 0..B when C > 1 { }'],
    ['flops', 'for i in 0..B flops 2*B { for j in 0..B flops 2 { } }'],
    ['dims', 'for i in 0..B flops C { }'],
    ['vector', 'if lanes ids[0] > i32(1) { }'],
    ['block', 'vector for i in 0..4 { barrier }'],
    ['block', 'vector for i in 0..4 { wait 0 }'],
    ['block', 'share s: f32[B]'],
    ['block', 'share s: f32[4]\ns[0] = f32(1)'],
    ['shadowing', 'share s: f32[4]\nlet s = 1'],
    ['read-first', 'share s: f32[4]\nvector for i in 0..4 limit 4 { copy 1 s[i] from t[i] if bool(1) }'],
    ['block', 'share s: f32[4]\ncopy 4 s[0] from w[0] if bool(1)'],
    ['copy', 'share s: f32[4]\nvector for i in 0..1 { copy 3 s[i] from w[i] if bool(1) }'],
    ['copy', 'vector for i in 0..1 { copy 4 w[i] from w[i] if bool(1) }'],
    ['dtype', 'share s: i32[4]\nvector for i in 0..1 { copy 4 s[i] from w[i] if bool(1) }'],
    ['warps', 'for i in 0..B warps { }'],
    ['warps', 'parallel for p in 0..2 { acc s: f32 = f32(0)\nfor i in 0..B warps { s += f32(1) } }'],
    ['warps', 'parallel for p in 0..2 { for i in 0..8 warps { barrier } }'],
    ['warps', 'parallel for p in 0..2 { for i in 0..8 warps { for j in 0..8 warps { } } }'],
    ['multiply', 'share a: f64[16, 16]\nacc s: f32[2, 4, 32] = f32(0)\nmultiply q: s += depth a[0, 0] * depth a[0, 0]'],
    ['multiply', 'share a: f32[16, 18]\nacc s: f32[2, 4, 32] = f32(0)\nmultiply q: s += depth a[0, 0] * depth a[0, 0]'],
    ['multiply', 'share a: f16[16, 20]\nacc s: f32[2, 4, 32] = f32(0)\nmultiply q: s += depth a[0, 0] * depth a[0, 0]'],
    ['multiply', 'share a: f16[16, 16]\nacc s: f32[2, 3, 32] = f32(0)\nmultiply q: s += depth a[0, 0] * depth a[0, 0]'],
    [
      'block',
      'share a: f16[16, 16]\nacc s: f32[2, 4, 32] = f32(0)\nvector for i in 0..2 { multiply q: s += depth a[0, 0] * depth a[0, 0] }',
    ],
    ['multiply', `share a: f16[16, 16]\n${twoSums}multiply q: s += sums s[0] * depth a[0, 0]`],
    ['multiply', `share a: f16[16, 16]\n${twoSums}multiply q: s += sums r[0] * depth a[0, 0]`],
    ['strides', 'share a: bf16[8, 32] swizzled'],
    ['strides', 'share a: bf16[4, 64] swizzled'],
    ['multiply', `${fours}multiply q: s += depth a[0, 0] * depth a[0, 0]\nsettle 0`],
    ['multiply', `${fours.replace(' swizzled', '')}multiply 4 q: s += depth a[0, 0] * depth a[0, 0]\nsettle 0`],
    ['multiply', `${fours.replaceAll('bf16[64, 64]', 'f32[64, 32]')}multiply 4 q: s += depth a[0, 0] * depth a[0, 0]\nsettle 0`],
    ['multiply', `${fours}multiply 4 q: s += lines a[0, 0] * depth a[0, 0]\nsettle 0`],
    ['multiply', `${fours.replaceAll('128]', '64]')}multiply 4 q: s += depth a[0, 0] * depth a[0, 0]\nsettle 0`],
    ['multiply', `${fours.replaceAll('16, 128]', '68, 128]')}multiply 4 q: s += depth a[0, 0] * depth a[0, 0]\nsettle 0`],
    ['multiply', `${fours}multiply 4 q: s += sums r[0] * depth a[0, 0]\nsettle 0`],
    ['settle', `${fours}multiply 4 q: s += depth a[0, 0] * depth a[0, 0]`],
    ['settle', `${fours}multiply 4 q: s += depth a[0, 0] * depth a[0, 0]\nsettle 1`],
    ['settle', `${fours}multiply 4 q: s += depth a[0, 0] * depth a[0, 0]\ncombine 4 s +=\nsettle 0`],
    ['settle', `${fours}for i in 0..B { combine 4 s +=\nmultiply 4 q: s += depth a[0, 0] * depth a[0, 0] }\nsettle 0`],
    ['settle', `${fours}if B > 1 { multiply 4 q: s += depth a[0, 0] * depth a[0, 0] }\ncombine 4 s +=\nsettle 0`],
    ['block', 'vector for i in 0..4 { settle 0 }'],
    ['warps', 'parallel for p in 0..2 { for i in 0..8 warps { settle 0 } }'],
    ['combine', 'acc s: f32[2, 32] = f32(0)\ncombine 3 s +='],
    ['combine', 'acc s: f32[2, 16] = f32(0)\ncombine 4 s +='],
    ['dtype', 'acc s: f32[2, 32] = f32(0)\ncombine 4 s any='],
    ['block', 'acc s: f32[2, 32] = f32(0)\nvector for i in 0..2 { combine 4 s += }'],
    ['dims', 'for i in 0..B blocks C { }'],
    ['dims', 'let a = #(B*C)'],
  ])('has the rule %s: %s', (rule, body) => {
    const broken = program(body);
    expect(() => verifyProgram(broken, { pass: 'fuse' })).toThrow(`internal error in fuse: rule ${rule} broken in p in kernel k`);
  });

  it('lets accumulators live in lanes', () => {
    expect(() =>
      verifyProgram(program('vector for i in 0..4 { acc s: f32 = f32(0)\nfor k in 0..B { s = s + x[k, i] }\nw[i] = s }')),
    ).not.toThrow();
  });

  const rows: Program['buffers'][number] = {
    name: 'rows',
    dtype: 'f32',
    shape: [Dim.of(2), Dim.of(30)],
    strides: [Dim.of(32), Dim.one],
    role: { kind: 'variable', index: 0 },
  };

  it('lets rows of variables lie apart', () => {
    const sound = program('');
    expect(() => verifyProgram({ ...sound, kernels: [], arena: { slots: [], slotOf: new Map() }, buffers: [rows] })).not.toThrow();
  });

  it('wants machine ops only, once expanded', () => {
    const text = parseProgram(softmax);
    expect(() => verifyProgram(text, { expanded: true })).toThrow('rule machine');
  });

  it('wants lanes of every vector loop, once vectorized', () => {
    expect(() => verifyProgram(parseProgram(tiles), { vectorized: true })).toThrow('rule width');
    expect(() => verifyProgram(parseProgram(tiles.replaceAll('vector for', 'vector 4 for')), { vectorized: true })).not.toThrow();
  });

  it('lets whole vectors pass the caches by', () => {
    const rows = program('for k in 0..B { let at = k * 8\nvector 4 for i in 0..4 { nontemporal y[at, i + 4] = f32(1) } }');
    expect(() => verifyProgram(rows, { vectorized: false })).not.toThrow();
  });

  it('wants results of lanes kept somewhere, once vectorized', () => {
    const summed = (keeps: string): Program => program(`acc s: f32 = f32(0)\nvector 4 for i in 0..4${keeps} { s += w[i] }`);
    expect(() => verifyProgram(summed(''), { vectorized: true })).toThrow('rule partials');
    expect(() => verifyProgram(summed(' partial s += 1 of 4'), { vectorized: true })).not.toThrow();
    const own = program('vector 4 for i in 0..4 { acc s: f32 = f32(0)\nfor k in 0..B { s += x[k, i] }\nw[i] = s }');
    expect(() => verifyProgram(own, { vectorized: true })).not.toThrow();
  });

  const sound = program('');
  const x = sound.buffers[0] as Program['buffers'][number];
  const t = sound.buffers[3] as Program['buffers'][number];
  const broken: readonly (readonly [string, Program])[] = [
    ['buffer-names', { ...sound, buffers: [...sound.buffers, x] }],
    ['buffer-names', { ...sound, buffers: [...sound.buffers, { ...x, name: 'other', dtype: 'i32' }] }],
    ['strides', { ...sound, buffers: [{ ...x, strides: [] }] }],
    ['strides', { ...sound, buffers: [{ ...x, strides: [Dim.of(5), Dim.one] }] }],
    ['strides', { ...sound, buffers: [{ ...rows, strides: [Dim.of(29), Dim.one] }] }],
    ['strides', { ...sound, buffers: [{ ...rows, strides: [Dim.of(32), Dim.of(2)] }] }],
    ['strides', { ...sound, buffers: [{ ...rows, role: { kind: 'output', index: 0 } }] }],
    ['dims', { ...sound, dims: [] }],
    ['slots', { ...sound, arena: { slots: [], slotOf: new Map([['t', 0]]) } }],
    ['slots', { ...sound, arena: { slots: [{ bytes: [Dim.of(4)] }], slotOf: new Map() } }],
    [
      'slots',
      {
        ...sound,
        arena: {
          slots: [{ bytes: [Dim.of(4)] }],
          slotOf: new Map([
            ['t', 0],
            ['x', 0],
          ]),
        },
      },
    ],
    ['kernel-names', { ...sound, kernels: [...sound.kernels, ...sound.kernels] }],
    ['declared', { ...program('t[0] = f32(0)'), buffers: sound.buffers.filter((one) => one !== t).slice(0, 3) }],
    [
      'scope',
      {
        ...sound,
        kernels: sound.kernels.map((one) => ({
          ...one,
          ...ownCode([{ kind: 'let' as const, name: 'a', value: { kind: 'index' as const, name: 'i' } }]),
        })),
      },
    ],
    [
      'scope',
      {
        ...sound,
        kernels: sound.kernels.map((one) => ({
          ...one,
          ...ownCode([{ kind: 'let' as const, name: 'a', value: { kind: 'name' as const, name: 'b', dtype: 'f32' as const } }]),
        })),
      },
    ],
    [
      'scope',
      {
        ...sound,
        kernels: sound.kernels.map((one) => ({
          ...one,
          ...ownCode([
            {
              kind: 'let' as const,
              name: 'a',
              value: { kind: 'read' as const, accumulator: { name: 's', dtype: 'f32' as const, shape: [] }, index: [] },
            },
          ]),
        })),
      },
    ],
  ];
  it.each(broken)('has the rule %s (%#)', (rule, value) => {
    expect(() => verifyProgram(value)).toThrow(`rule ${rule} broken in p`);
  });

  it('lets kernels share code', () => {
    expect(() => verifyProgram(shared('with z for y, v for w'))).not.toThrow();
    expect(() => verifyProgram(shared(''))).not.toThrow();
  });

  it.each([
    ['bound', 'with long for w'],
    ['bound', 'with t for w'],
    ['bound', 'with v for t'],
    ['read-first', 'with late for t'],
  ])('has the rule %s for kernels that share code: %s', (rule, uses) => {
    expect(() => verifyProgram(shared(uses))).toThrow(`rule ${rule} broken in p in kernel c`);
  });
});
