// `zeros([2, 3])`, `ones([N])`, `full([N], 1 / N)`, `eye(N)`: what the library makes in the expected type, made of a shape instead. In:
// calls that pass more than the library's function takes. Out: tensors whose dtype is that of what they meet.
// Holds: the library's functions are called by the same names; only what is passed says which is meant. Which of them fill a type is what
// their declarations say.

import type { DType, Dim } from '../../base/index.js';
import * as ops from '../../ops/index.js';
import { applyTensor } from '../apply-op.js';
import { broadcastTo } from '../broadcast.js';
import type { Call, Passed } from '../calls.js';
import type { Context } from '../context.js';
import { inAnyDType } from '../expressions/binary.js';
import { excerpt } from '../report.js';
import { ownDType, toTensor } from '../tensors.js';
import { dtypeNamed, dtypeWanted, expectTensor, type Expected } from '../types.js';
import { boolean, dimOf, ERROR, type FunctionValue, number, type Value } from '../values.js';
import { sizesGiven } from './axes.js';
import { type Builtin, type BuiltinCall, required, result } from './builtin.js';

/** The same value everywhere. */
function filled(call: BuiltinCall, value: Value): Value {
  const shape = sizesGiven(call, call.given('shape'));
  if (shape === undefined) return ERROR;
  const usual = dtypeWanted(call.expected) ?? 'f32';
  const inDType = (dtype: DType | undefined): Value => {
    const wanted = ownDType(value) === undefined ? (dtype ?? usual) : undefined;
    const node = toTensor(call.context, value, call.site, wanted);
    return result(node === undefined ? undefined : broadcastTo(call.context, node, shape, call.site));
  };
  const everywhere = inAnyDType(inDType, call.expected, value);
  const isWhole = value.kind === 'number' && value.integer && everywhere.kind === 'tensor' && everywhere.again !== undefined;
  return isWhole ? { ...everywhere, isWhole } : everywhere;
}

function identity(call: BuiltinCall): Value {
  const [size, ...more] = sizesGiven(call, call.given('n')) ?? [];
  if (size === undefined || more.length > 0) return ERROR;
  const shape: readonly [Dim, Dim] = [size, size];
  const usual = dtypeWanted(call.expected) ?? 'f32';
  const inDType = (dtype: DType | undefined): Value => {
    const counts = [0, 1].map((axis) => applyTensor(call.context, ops.iota, [], { shape, axis, dtype: 'i32' }, call.site));
    const [row, column] = counts;
    const isOne =
      row === undefined || column === undefined ? undefined : applyTensor(call.context, ops.elementwise.eq, [row, column], {}, call.site);
    return result(isOne === undefined ? undefined : applyTensor(call.context, ops.cast, [isOne], { dtype: dtype ?? usual }, call.site));
  };
  return inAnyDType(inDType, call.expected);
}

const shaped = (name: string, value: 0 | 1): Builtin => ({
  name,
  doc: 'One value everywhere.',
  signatures: [`${name}<T: any, ...S>(shape: list): T[...S]`],
  parameters: required('shape'),
  run: (call) => filled(call, dtypeWanted(call.expected) === 'bool' ? boolean(value === 1) : number(value)),
});

const forms: Readonly<Record<string, Builtin>> = {
  zeros: shaped('zeros', 0),
  ones: shaped('ones', 1),
  full: {
    name: 'full',
    doc: 'One value everywhere.',
    signatures: ['full<T: any, ...S>(shape: list, value: T): T[...S]'],
    parameters: required('shape', 'value'),
    run: (call) => filled(call, call.given('value').value),
  },
  eye: {
    name: 'eye',
    doc: 'The identity matrix.',
    signatures: ['eye<T: number, N>(n: int): T[N, N]'],
    parameters: required('n'),
    run: identity,
  },
};

/** The call of the form that takes a shape, where a call of the library's function passes one; its one generic may be a dtype. */
export function shapedCall(
  call: Call,
  { declaration, module }: FunctionValue,
): { readonly call: Call; readonly form: Builtin } | undefined {
  const { passed, generics } = call;
  const form = module.std ? forms[declaration.name.text] : undefined;
  if (form === undefined || declaration.kind === 'step') return undefined;
  if (passed.length <= declaration.parameters.length || passed.length > form.parameters.length) return undefined;
  if (generics === null) return { call, form };
  const [first, ...more] = generics;
  const dtype = first?.kind === 'size-name' && more.length === 0 ? dtypeNamed(first.name, call.scope) : undefined;
  return typeof dtype === 'string' ? { call: { ...call, generics: null, expected: expectTensor(dtype, undefined) }, form } : undefined;
}

/** Whether a function of the library fills the type that is expected of it, of which no parameter says the shape. */
export function fillsType({ declaration: { result, parameters }, module }: FunctionValue): boolean {
  const [spread, ...more] = result?.kind === 'named-type' ? (result.dims ?? []) : [];
  if (!module.std || spread?.kind !== 'rank-spread' || more.length > 0) return false;
  const { text } = spread.name;
  return !parameters.some(
    ({ type }) => type.kind === 'named-type' && (type.dims ?? []).some((dim) => dim.kind === 'rank-spread' && dim.name.text === text),
  );
}

/** `normal([B, 3], key: k)`: a shape that stands before the arguments is the one that is expected. */
export function filledIn(call: Call, fn: FunctionValue): Call {
  const [first, ...rest] = call.passed;
  const needed = fn.declaration.parameters.filter(({ initial }) => initial === null).length;
  if (first === undefined || first.name !== null || rest.length < needed || !fillsType(fn)) return call;
  const text = excerpt(call.context, first.span, '');
  if (!text.startsWith('[') && !text.endsWith('.shape')) return call;
  const value = first.value();
  const shape = value.kind === 'list' ? value.items.flatMap((item) => dimOf(item) ?? []) : [];
  if (value.kind !== 'list' || shape.length !== value.items.length || shape.some((dim) => (dim.constant ?? 0) < 0))
    return { ...call, passed: [{ ...first, value: () => value }, ...rest] };
  const [generic, ...more] = call.generics ?? [];
  const dtype = generic?.kind === 'size-name' && more.length === 0 ? dtypeNamed(generic.name, call.scope) : undefined;
  const outer = call.expected?.kind === 'tensor' ? call.expected : expectTensor(undefined, undefined);
  return typeof dtype === 'string'
    ? { ...call, passed: rest, generics: null, expected: expectTensor(dtype, shape) }
    : { ...call, passed: rest, expected: { ...outer, shape } as Expected };
}

/** How a call says what it fills, where nothing else does. */
export function filledHint({ context, passed }: Call, fn: FunctionValue): string | undefined {
  if (!fillsType(fn)) return undefined;
  const { name } = fn.declaration;
  const texts = passed.map((one) => `${one.name === null ? '' : `${one.name.text}: `}${excerpt(context, one.span, '…')}`);
  return `say its shape, \`${name.text}(${['[3]', ...texts].join(', ')})\`, or declare the type of what it gives, of one number \`let x: f32 = ${name.text}(${texts.join(', ')})\``;
}

/** How a shape is passed, for a call that passes its sizes one by one. */
export function shapeHint(context: Context, passed: readonly Passed[], { declaration, module }: FunctionValue): string | undefined {
  const form = module.std ? forms[declaration.name.text] : undefined;
  const sizes = passed.length - (form?.parameters.length ?? 0) + 1;
  if (form?.parameters[0]?.name !== 'shape' || sizes < 2 || passed.some(({ name }) => name !== null)) return undefined;
  const texts = passed.map(({ span }) => excerpt(context, span, '…'));
  if (texts.some((text) => text.startsWith('['))) return undefined;
  return `a shape is one list: \`${form.name}(${[`[${texts.slice(0, sizes).join(', ')}]`, ...texts.slice(sizes)].join(', ')})\``;
}
