// Functions that move data: transpose, reshape, concat, stack, pad, … In: tensors and compile-time shapes. Out: nodes that compute nothing.

import { Dim, type DType, elementCount, isInteger, shapeEquals } from '../../base/index.js';
import { typeToString, type TensorNode } from '../../graph/index.js';
import * as ops from '../../ops/index.js';
import { applyTensor } from '../apply-op.js';
import { broadcastTo, commonShape } from '../broadcast.js';
import { checkedIndex } from '../checked-index.js';
import { takeRows } from '../picks.js';
import { excerpt, fail } from '../report.js';
import { agree, bindingLabel, ownDType, shapeOf, stackTensors, toTensor } from '../tensors.js';
import { alone, expectedDType } from '../types.js';
import { describe, dimOf, ERROR, number, tensorValue, type Value } from '../values.js';
import { oneAxis, sizesGiven } from './axes.js';
import { areAlike, areTensors, concatHint, elementText, failWidths, openSizeHint, orderHint, stretches } from './shape-mistakes.js';
import { optional, required, result, type Builtin, type BuiltinCall } from './builtin.js';

/** What literals become: the dtype that is expected, or where all are literals that of what stands beside. */
const dtypeForLiterals = (call: BuiltinCall, value: Value): DType | undefined =>
  ownDType(value) === undefined ? call.dtypeForLiterals() : expectedDType(call.expected);

/** The dtype of positions: i32, unless another one is expected or met. */
function dtypeOfNumbers(call: BuiltinCall): DType {
  const dtype = call.dtypeForLiterals() ?? 'i32';
  return dtype === 'bool' ? 'i32' : dtype;
}

const transpose: Builtin = {
  name: 'transpose',
  doc: 'The axes in another order: axis `i` of the result is axis `axes[i]` of `x`; without `axes`, in reverse.',
  signatures: ['transpose<T: any, ...S>(x: T[...S])', 'transpose<T: any, ...S>(x: T[...S], axes: list)'],
  parameters: [...required('x'), ...optional('axes')],
  run(call) {
    const node = call.elements('x');
    if (node === undefined) return ERROR;
    const rank = node.type.shape.length;
    const given = call.optional('axes');
    if (given === undefined)
      return result(
        applyTensor(call.context, ops.transpose, [node], { axes: node.type.shape.map((_, axis) => rank - 1 - axis) }, call.site),
      );
    if (given.value.kind !== 'list')
      return given.value.kind === 'error'
        ? ERROR
        : fail(call.context, 'type-mismatch', given.span, `\`axes\` is a list, and this is ${describe(given.value)}`, {
            hint: 'e.g. `[1, 0]`',
          });
    const axes: number[] = [];
    for (const item of given.value.items) {
      const axis = oneAxis(call, { value: item, span: given.span }, node.type);
      if (axis === undefined) return ERROR;
      axes.push(axis);
    }
    if (axes.length !== rank || new Set(axes).size !== rank)
      return fail(
        call.context,
        'invalid-value',
        given.span,
        `the order [${axes.join(', ')}] does not name each of the ${rank} axes of ${typeToString(node.type)} once`,
        { hint: orderHint(axes, rank) },
      );
    return result(applyTensor(call.context, ops.transpose, [node], { axes }, call.site));
  },
};

const reshape: Builtin = {
  name: 'reshape',
  doc: 'The same elements, row by row, in the sizes of `shape`, one of which may be -1: what is left.',
  signatures: ['reshape<T: any, ...S, ...R>(x: T[...S], shape: list): T[...R]'],
  parameters: required('x', 'shape'),
  run(call) {
    const node = call.elements('x');
    const whole = node === undefined ? undefined : elementCount(node.type.shape);
    const shape = whole === undefined ? undefined : sizesGiven(call, call.given('shape'), whole);
    if (node === undefined || shape === undefined || whole === undefined) return ERROR;
    const wanted = elementCount(shape);
    if (!wanted.equals(whole)) {
      return fail(
        call.context,
        wanted.sub(whole).constant === undefined ? 'ambiguous-size' : 'shape-mismatch',
        call.site,
        `\`reshape\`: ${typeToString(node.type)} has ${whole} elements, and [${shape.join(', ')}] has ${wanted}`,
        { labels: bindingLabel(call.given('x').value), hint: openSizeHint(whole, shape) },
      );
    }
    return result(applyTensor(call.context, ops.reshape, [node], { shape }, call.site));
  },
};

const broadcast: Builtin = {
  name: 'broadcastTo',
  doc: 'Stretched to the sizes of `shape`, by the rules of broadcasting.',
  signatures: ['broadcastTo<T: any, ...S, ...R>(x: T[...S], shape: list): T[...R]'],
  parameters: required('x', 'shape'),
  run(call) {
    const given = call.given('x', alone(call.expected));
    const node = toTensor(call.context, given.value, given.span, dtypeForLiterals(call, given.value));
    const shape = node === undefined ? undefined : sizesGiven(call, call.given('shape'));
    if (node === undefined || shape === undefined) return ERROR;
    if (!stretches(call, node, shape)) return ERROR;
    return result(broadcastTo(call.context, node, shape, call.site));
  },
};

const expandDims: Builtin = {
  name: 'expandDims',
  doc: 'A new axis of size 1 at `axis`; -1 is behind the last one.',
  signatures: ['expandDims<T: any, ...A, ...B>(x: T[...A, ...B], axis: int): T[...A, 1, ...B]'],
  parameters: required('x', 'axis'),
  run(call) {
    const node = call.elements('x');
    const axis = node === undefined ? undefined : oneAxis(call, call.given('axis'), node.type, 1);
    if (node === undefined || axis === undefined) return ERROR;
    const { shape } = node.type;
    return result(
      applyTensor(call.context, ops.reshape, [node], { shape: [...shape.slice(0, axis), Dim.one, ...shape.slice(axis)] }, call.site),
    );
  },
};

const squeeze: Builtin = {
  name: 'squeeze',
  doc: 'Without the axis `axis`, whose size is 1; without `axis`, all axes of size 1 go.',
  signatures: ['squeeze<T: any, ...S>(x: T[...S])', 'squeeze<T: any, ...A, ...B>(x: T[...A, 1, ...B], axis: int): T[...A, ...B]'],
  parameters: [...required('x'), ...optional('axis')],
  run(call) {
    const node = call.elements('x');
    if (node === undefined) return ERROR;
    const { shape } = node.type;
    const given = call.optional('axis');
    if (given === undefined)
      return result(applyTensor(call.context, ops.reshape, [node], { shape: shape.filter((dim) => dim.constant !== 1) }, call.site));
    const axis = oneAxis(call, given, node.type);
    if (axis === undefined) return ERROR;
    const text = excerpt(call.context, call.given('x').span, '…');
    if (shape[axis]?.constant !== 1)
      return fail(
        call.context,
        'shape-mismatch',
        call.site,
        `\`squeeze\`: axis ${axis} of ${typeToString(node.type)} has size ${shape[axis]}, and only size 1 can go`,
        {
          labels: bindingLabel(call.given('x').value),
          hint: `take one element, \`${elementText(text, axis)}\`, or add them up: \`sum(${text}, axis: ${axis})\``,
        },
      );
    return result(applyTensor(call.context, ops.reshape, [node], { shape: shape.filter((_, at) => at !== axis) }, call.site));
  },
};

/** The elements of a list as tensors of one dtype; undefined after a diagnostic. */
function listed(call: BuiltinCall, name: string): { nodes: TensorNode[]; values: readonly Value[] } | undefined {
  const given = call.given(name, alone(call.expected));
  if (given.value.kind === 'error') return undefined;
  if (given.value.kind !== 'list' && given.value.kind !== 'tuple') {
    fail(call.context, 'type-mismatch', given.span, `\`${call.builtin.name}\` takes a list, and this is ${describe(given.value)}`, {
      labels: bindingLabel(given.value),
      hint:
        call.builtin.name === 'concat' && shapeOf(given.value) !== undefined
          ? 'a list of tensors: `[a, b]`; rows of one tensor become one by `flatten(x)`'
          : 'e.g. `[a, b]`',
    });
    return undefined;
  }
  if (given.value.items.length === 0) {
    fail(call.context, 'invalid-value', given.span, `\`${call.builtin.name}\` of an empty list has no shape`, {
      hint: '`zeros()` with a declared type is empty where a size is 0',
    });
    return undefined;
  }
  if (!areTensors(call, given.value.items, given.span)) return undefined;
  const nodes = agree(
    call.context,
    given.value.items.map((value) => ({ value, span: given.span })),
    dtypeForLiterals(call, given.value),
    given.span,
    `\`${call.builtin.name}\``,
  );
  return nodes === undefined ? undefined : { nodes, values: given.value.items };
}

const concat: Builtin = {
  name: 'concat',
  doc: 'Tensors one after another along an axis, whose size becomes the sum of theirs; their other sizes agree.',
  signatures: ['concat<T: any, ...A, N, ...B>(list: list, axis: int = 0): T[...A, N, ...B]'],
  parameters: [...required('list'), ...optional('axis')],
  run(call) {
    const items = listed(call, 'list');
    const first = items?.nodes[0];
    if (items === undefined || first === undefined) return ERROR;
    const axis = oneAxis(call, call.optional('axis') ?? { value: number(0, true), span: call.site }, first.type);
    if (axis === undefined) return ERROR;
    for (const [at, node] of items.nodes.entries()) {
      if (
        node.type.shape.length === first.type.shape.length &&
        node.type.shape.every((dim, own) => own === axis || dim.equals(first.type.shape[own] as Dim))
      )
        continue;
      return fail(
        call.context,
        'shape-mismatch',
        call.site,
        `\`concat\`: element 0 is ${typeToString(first.type)} and element ${at} is ${typeToString(node.type)}, which differ beside axis ${axis}`,
        {
          labels: [0, at].flatMap((one) => bindingLabel(items.values[one] ?? ERROR)),
          hint: concatHint(call, first.type, node.type, items.values[at], items.values[0]),
        },
      );
    }
    return items.nodes.length === 1 ? tensorValue(first) : result(applyTensor(call.context, ops.concat, items.nodes, { axis }, call.site));
  },
};

const stack: Builtin = {
  name: 'stack',
  doc: 'Tensors of one shape along a new axis, which has an element for each.',
  signatures: ['stack<T: any, ...A, N, ...B>(list: list, axis: int = 0): T[...A, N, ...B]'],
  parameters: [...required('list'), ...optional('axis')],
  run(call) {
    const items = listed(call, 'list');
    const first = items?.nodes[0];
    if (items === undefined || first === undefined) return ERROR;
    const axis = oneAxis(call, call.optional('axis') ?? { value: number(0, true), span: call.site }, first.type, 1);
    if (axis === undefined || !areAlike(call, items)) return ERROR;
    return result(stackTensors(call.context, items.nodes, axis, call.site));
  },
};

const tensor: Builtin = {
  name: 'tensor',
  doc: 'A tensor of a list of numbers or tensors, or of such lists, of one shape.',
  signatures: ['tensor<T: any, ...S>(list: list): T[...S]'],
  parameters: required('list'),
  run(call) {
    const given = call.given('list');
    return result(toTensor(call.context, given.value, given.span, dtypeForLiterals(call, given.value)));
  },
};

const addN: Builtin = {
  name: 'addN',
  doc: 'The sum of the elements of a list, from left to right, stretched to one shape.',
  signatures: ['addN<T: number, ...S>(list: list): T[...S]'],
  parameters: required('list'),
  run(call) {
    const items = listed(call, 'list');
    if (items === undefined) return ERROR;
    const operands = items.nodes.map((node, at) => ({ node, value: items.values[at] ?? ERROR, span: call.given('list').span }));
    const shape = commonShape(call.context, operands, call.site, '`addN`');
    if (shape === undefined) return ERROR;
    let total: TensorNode | undefined;
    for (const node of items.nodes) {
      const wide = broadcastTo(call.context, node, shape, call.site);
      if (wide === undefined) return ERROR;
      total = total === undefined ? wide : applyTensor(call.context, ops.elementwise.add, [total, wide], {}, call.site);
      if (total === undefined) return ERROR;
    }
    return result(total);
  },
};

const iota: Builtin = {
  name: 'iota',
  doc: 'The position along `axis`: 0, 1, 2, …, in the sizes of `shape` and the dtype of what they meet; i32 where nothing says which.',
  signatures: ['iota<T: number, ...R>(shape: list, axis: int = 0): T[...R]'],
  parameters: [...required('shape'), ...optional('axis')],
  run(call) {
    const shape = sizesGiven(call, call.given('shape'));
    if (shape === undefined) return ERROR;
    const type = { kind: 'tensor', dtype: 'i32', shape } as const;
    const axis = oneAxis(call, call.optional('axis') ?? { value: number(0, true), span: call.site }, type);
    return axis === undefined
      ? ERROR
      : result(applyTensor(call.context, ops.iota, [], { shape, axis, dtype: dtypeOfNumbers(call) }, call.site));
  },
};

const pad: Builtin = {
  name: 'pad',
  doc: 'Zeros around: `before` and `after` say how many, in a list with a number per axis, by which its size grows.',
  signatures: ['pad<T: any, ...S, ...R>(x: T[...S], before: list, after: list): T[...R]'],
  parameters: required('x', 'before', 'after'),
  lacking: failWidths,
  run(call) {
    const node = call.elements('x');
    if (node === undefined) return ERROR;
    const before = sizesGiven(call, call.given('before'));
    const after = sizesGiven(call, call.given('after'));
    if (before === undefined || after === undefined) return ERROR;
    const rank = node.type.shape.length;
    if (before.length !== rank || after.length !== rank)
      return fail(
        call.context,
        'shape-mismatch',
        call.site,
        `\`pad\`: ${typeToString(node.type)} has ${rank} axes, \`before\` has ${before.length} and \`after\` ${after.length}`,
        { hint: `one number for each axis: \`[${node.type.shape.map(() => '1').join(', ')}]\`` },
      );
    return result(applyTensor(call.context, ops.pad, [node], { before, after, inner: node.type.shape.map(() => 0) }, call.site));
  },
};

/** False after a diagnostic where the argument `ids` is none. */
function areIds(call: BuiltinCall, { type }: TensorNode): boolean {
  if (isInteger(type.dtype)) return true;
  const { value, span } = call.given('ids');
  fail(call.context, 'dtype-mismatch', span, `ids are integers, and this is ${typeToString(type)}`, {
    labels: bindingLabel(value),
    hint: `convert them: \`i32(${excerpt(call.context, span, '…')})\``,
  });
  return false;
}

const take: Builtin = {
  name: 'take',
  doc: 'The slices of `x` at `ids` along `axis`. An id is from 0 to the size of the axis - 1; another one ends the run: `index-out-of-range`.',
  signatures: ['take<T: any, I: integer, ...A, N, ...B, ...R>(x: T[...A, N, ...B], ids: I[...R], axis: int = 0): T[...A, ...R, ...B]'],
  parameters: [...required('x', 'ids'), ...optional('axis')],
  run(call) {
    const node = call.elements('x');
    const ids = call.tensor('ids');
    if (node === undefined || ids === undefined) return ERROR;
    if (!areIds(call, ids)) return ERROR;
    const axis = oneAxis(call, call.optional('axis') ?? { value: number(0, true), span: call.site }, node.type);
    if (axis === undefined) return ERROR;
    const checked = checkedIndex(call.context, ids, node.type.shape[axis] as Dim, call.given('ids').span);
    return checked === undefined ? ERROR : result(takeRows(call.context, node, checked, axis, call.site));
  },
};

const scatterAdd: Builtin = {
  name: 'scatterAdd',
  doc: 'Zeros of `rows` rows, with each update added to the row of its id, which is from 0 to `rows` - 1; another one ends the run: `index-out-of-range`.',
  signatures: ['scatterAdd<T: number, I: integer, ...R, ...S>(ids: I[...R], updates: T[...R, ...S], rows: int): T[rows, ...S]'],
  parameters: required('ids', 'updates', 'rows'),
  run(call) {
    const ids = call.tensor('ids');
    const updates = call.elements('updates');
    const given = call.given('rows');
    const rows = dimOf(given.value);
    if (ids === undefined || updates === undefined || given.value.kind === 'error') return ERROR;
    if (rows === undefined)
      return fail(call.context, 'not-constant', given.span, `\`rows\` is a size, and this is ${describe(given.value)}`, {
        labels: bindingLabel(given.value),
        hint: 'use an integer, a `dim` or a size such as `x.shape[0]`',
      });
    if (!areIds(call, ids)) return ERROR;
    if (!shapeEquals(ids.type.shape, updates.type.shape.slice(0, ids.type.shape.length)))
      return fail(
        call.context,
        'shape-mismatch',
        call.given('updates').span,
        `\`scatterAdd\`: the updates are ${typeToString(updates.type)}, and their first axes are not those of the ids, ${typeToString(ids.type)}`,
        {
          labels: [...bindingLabel(call.given('updates').value), ...bindingLabel(call.given('ids').value)],
          hint: 'there is one update for each id: `[…ids, …row]`',
        },
      );
    const checked = checkedIndex(call.context, ids, rows, call.given('ids').span);
    return checked === undefined ? ERROR : result(applyTensor(call.context, ops.scatterAdd, [checked, updates], { rows }, call.site));
  },
};

const checkIndex: Builtin = {
  name: 'checkIndex',
  doc: 'The `ids` themselves, each of which must be from 0 to `size` - 1; another one ends the run: `index-out-of-range`.',
  signatures: ['checkIndex<I: integer, ...S>(ids: I[...S], size: int): i32[...S]'],
  parameters: required('ids', 'size'),
  run(call) {
    const ids = call.tensor('ids');
    const given = call.given('size');
    const size = dimOf(given.value);
    if (ids === undefined || given.value.kind === 'error') return ERROR;
    if (size === undefined)
      return fail(call.context, 'not-constant', given.span, `\`size\` is a size, and this is ${describe(given.value)}`, {
        labels: bindingLabel(given.value),
        hint: 'use an integer, a `dim` or a size such as `x.shape[0]`',
      });
    if (!areIds(call, ids)) return ERROR;
    return result(checkedIndex(call.context, ids, size, call.given('ids').span));
  },
};

export const shapeBuiltins: readonly Builtin[] = [
  transpose,
  reshape,
  broadcast,
  expandDims,
  squeeze,
  concat,
  stack,
  tensor,
  addN,
  iota,
  pad,
  take,
  scatterAdd,
  checkIndex,
];
