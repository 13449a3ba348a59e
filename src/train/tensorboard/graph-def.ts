// A graph for TensorBoard. In: a recorded graph. Out: a `GraphDef`. Holds: each node is one; what TensorBoard shows of it (shapes on edges,
// dtypes, notes) stands in its attributes; sizes that only a call knows are −1 there, and have their names in a note.

import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { isDType, type DType } from '../../base/index.js';
import type { RecordedGraph, RecordedNode } from '../recorder.js';
import { DataType, type TensorShapeProtoSchema } from './proto/event_pb.js';
import { type AttrValueSchema, type GraphDef, GraphDefSchema } from './proto/graph_pb.js';

/** The version of graphs that TensorFlow has written since 2.0; nothing depends on it. */
const producer = 1205;

export const graphDefOf = ({ nodes }: RecordedGraph): GraphDef =>
  create(GraphDefSchema, {
    node: nodes.map((node) => ({ name: node.name, op: node.op, input: [...node.inputs], attr: attributesOf(node) })),
    versions: { producer },
  });

const dataTypes: Readonly<Record<DType, DataType>> = {
  f32: DataType.DT_FLOAT,
  f64: DataType.DT_DOUBLE,
  f16: DataType.DT_HALF,
  bf16: DataType.DT_BFLOAT16,
  f8e4m3: DataType.DT_FLOAT8_E4M3FN,
  f8e5m2: DataType.DT_FLOAT8_E5M2,
  i8: DataType.DT_INT8,
  i16: DataType.DT_INT16,
  i32: DataType.DT_INT32,
  i64: DataType.DT_INT64,
  u8: DataType.DT_UINT8,
  u16: DataType.DT_UINT16,
  u32: DataType.DT_UINT32,
  u64: DataType.DT_UINT64,
  bool: DataType.DT_BOOL,
};

type Attributes = Record<string, MessageInitShape<typeof AttrValueSchema>>;

function attributesOf({ results, notes }: RecordedNode): Attributes {
  const [only] = results;
  const text = (value: string): Attributes[string] => ({ value: { case: 's', value: Buffer.from(value) } });
  return {
    _output_shapes: { value: { case: 'list', value: { shape: results.map(({ shape }) => shapeOf(shape)) } } },
    ...(results.length === 1 && only !== undefined && isDType(only.dtype)
      ? { dtype: { value: { case: 'type', value: dataTypes[only.dtype] } } }
      : {}),
    type: text(results.map(({ dtype, shape }) => (shape.length === 0 ? dtype : `${dtype}[${shape.join(', ')}]`)).join(', ')),
    ...Object.fromEntries(Object.entries(notes).map(([name, value]) => [name, text(value)])),
  };
}

const shapeOf = (shape: readonly (number | string)[]): MessageInitShape<typeof TensorShapeProtoSchema> => ({
  dim: shape.map((size) => (typeof size === 'number' ? { size: BigInt(size) } : { size: -1n, name: size })),
});
