// One instruction at many values. In: its text and its operands' values. Out: what every lane computed. Holds: each instruction is a kernel
// of a common module, in which thread i takes the i-th value of each operand.

import { bf16ToNumber, f16ToNumber, numberToBf16, numberToF16 } from '../../runtime/half.js';
import { header, hex, moduleLine, runScript } from './emulator.js';

export type Type = 'f32' | 'f64' | 'f16' | 'bf16' | 'u16' | 's16' | 'u32' | 's32' | 'u64' | 's64' | 'pred';

export type Value = number | bigint;

export interface Instruction {
  /** With `%d` for the result, and `%a`, `%b`, `%c` for what it reads. */
  readonly text: string;
  readonly result: Type;
  readonly sources: readonly Type[];
  /** For each lane its operands. */
  readonly rows: readonly (readonly Value[])[];
}

const bytesOf: Record<Type, number> = { f32: 4, f64: 8, f16: 2, bf16: 2, u16: 2, s16: 2, u32: 4, s32: 4, u64: 8, s64: 8, pred: 4 };
const register = (type: Type): string => (type === 'f16' || type === 'bf16' ? 'b16' : type === 'pred' ? 'pred' : type);
const memory = (type: Type): string => (type === 'pred' ? 'u32' : register(type));

function write(view: DataView, at: number, type: Type, value: Value): void {
  switch (type) {
    case 'f32':
      return view.setFloat32(at, Number(value), true);
    case 'f64':
      return view.setFloat64(at, Number(value), true);
    case 'f16':
      return view.setUint16(at, numberToF16(Number(value)), true);
    case 'bf16':
      return view.setUint16(at, numberToBf16(Number(value)), true);
    case 'u16':
    case 's16':
      return view.setUint16(at, Number(value), true);
    case 'u64':
    case 's64':
      return view.setBigUint64(at, BigInt.asUintN(64, BigInt(value)), true);
    default:
      return view.setUint32(at, Number(value), true);
  }
}

function read(view: DataView, at: number, type: Type): Value {
  switch (type) {
    case 'f32':
      return view.getFloat32(at, true);
    case 'f64':
      return view.getFloat64(at, true);
    case 'f16':
      return f16ToNumber(view.getUint16(at, true));
    case 'bf16':
      return bf16ToNumber(view.getUint16(at, true));
    case 'u16':
      return view.getUint16(at, true);
    case 's16':
      return view.getInt16(at, true);
    case 'u64':
      return view.getBigUint64(at, true);
    case 's64':
      return view.getBigInt64(at, true);
    case 's32':
      return view.getInt32(at, true);
    default:
      return view.getUint32(at, true);
  }
}

function kernel(one: Instruction, name: string): string {
  const letters = ['a', 'b', 'c', 'e'];
  const parameters = [...one.sources.map((_, i) => `.param .u64 p${i}`), '.param .u64 to'];
  const loads = one.sources.flatMap((type, i) => [
    `.reg .${register(type)} %${letters[i]};`,
    `ld.param.u64 %at, [p${i}];`,
    `mad.wide.u32 %at, %t, ${bytesOf[type]}, %at;`,
    type === 'pred' ? `ld.global.u32 %w, [%at]; setp.ne.u32 %${letters[i]}, %w, 0;` : `ld.global.${memory(type)} %${letters[i]}, [%at];`,
  ]);
  return `.visible .entry ${name}(${parameters.join(', ')}) {
  .reg .u64 %at; .reg .u32 %t, %w; .reg .${register(one.result)} %d;
  mov.u32 %t, %tid.x;
  ${loads.join('\n  ')}
  ${one.text}
  ld.param.u64 %at, [to];
  mad.wide.u32 %at, %t, ${bytesOf[one.result]}, %at;
  ${one.result === 'pred' ? 'selp.u32 %w, 1, 0, %d; st.global.u32 [%at], %w;' : `st.global.${memory(one.result)} [%at], %d;`}
  ret;
}
`;
}

/** The module of all of them, kernels `i0`, `i1`, …: what an assembler for the target can be asked to accept. */
export const moduleOf = (all: readonly Instruction[]): string =>
  header('sm_90', '8.5') + all.map((one, i) => kernel(one, `i${i}`)).join('');

/** What each instruction gave in each lane. */
export function evaluate(all: readonly Instruction[]): Value[][] {
  const lines = ['begin', moduleLine('m', moduleOf(all))];
  const calls = all.flatMap((one, i) => {
    const uploads = one.sources.flatMap((type, s) => {
      const view = new DataView(new ArrayBuffer(one.rows.length * bytesOf[type]));
      one.rows.forEach((row, lane) => write(view, lane * bytesOf[type], type, row[s]!));
      return [`alloc i${i}s${s} ${view.byteLength}`, `upload i${i}s${s} ${hex(view)}`];
    });
    const names = [...one.sources.map((_, s) => `i${i}s${s}`), `i${i}d`];
    const bytes = one.rows.length * bytesOf[one.result];
    return [
      ...uploads,
      `alloc i${i}d ${bytes}`,
      `function f${i} m i${i}`,
      `launch f${i} 1 1 1 ${one.rows.length} 1 1 0 - ${names.join(' ')}`,
      `download i${i}d ${bytes}`,
    ];
  });
  const replies = runScript([...lines, ...calls, 'fault']);
  const wrong = replies.find((reply) => reply.status !== 0);
  if (wrong !== undefined) throw new Error(`${wrong.status} ${wrong.text}; ${replies.at(-1)!.text}`);
  const contents = replies.slice(lines.length).filter((_, at) => calls[at]?.startsWith('download') === true);
  return all.map((one, i) => {
    const bytes = Uint8Array.from(Buffer.from(contents[i]!.text, 'hex'));
    const view = new DataView(bytes.buffer);
    return one.rows.map((_, lane) => read(view, lane * bytesOf[one.result], one.result));
  });
}

/** All pairs, triples, … of values, as many as a block has threads. */
export function product(...values: (readonly Value[])[]): Value[][] {
  const all = values.reduce<Value[][]>((rows, column) => rows.flatMap((row) => column.map((value) => [...row, value])), [[]]);
  const step = Math.ceil(all.length / 1024);
  return all.filter((_, at) => at % step === 0);
}
