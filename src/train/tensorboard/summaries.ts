// Summaries as TensorBoard's plugins want them. In: tags and values. Out: messages. Holds: a tag's metadata, which say which plugin shows
// it, stand with its first value of a file.

import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import type { HistogramSummary } from '../histogram.js';
import { DataClass, DataType, type Summary_Value, Summary_ValueSchema } from './proto/event_pb.js';
import { type HParamsPluginData, HParamsPluginDataSchema } from './proto/hparams_pb.js';

type Value = MessageInitShape<typeof Summary_ValueSchema>;

/** A file's summaries. */
export class Summaries {
  readonly #known = new Set<string>();

  scalar(tag: string, value: number): Summary_Value {
    // In 32 bits, as the format has it.
    return this.#value(tag, 'scalars', DataClass.SCALAR, { case: 'simpleValue', value: Math.fround(value) });
  }

  histogram(tag: string, { minimum, maximum, count, sum, sumOfSquares, limits, counts }: HistogramSummary): Summary_Value {
    return this.#value(tag, 'histograms', DataClass.TENSOR, {
      case: 'histo',
      value: { min: minimum, max: maximum, num: count, sum, sumSquares: sumOfSquares, bucketLimit: [...limits], bucket: [...counts] },
    });
  }

  text(tag: string, text: string): Summary_Value {
    const value = { dtype: DataType.DT_STRING, tensorShape: {}, stringVal: [Buffer.from(text)] };
    return this.#value(tag, 'text', DataClass.TENSOR, { case: 'tensor', value });
  }

  #value(tag: string, pluginName: string, dataClass: DataClass, value: NonNullable<Value['value']>): Summary_Value {
    const isKnown = this.#known.has(tag);
    this.#known.add(tag);
    return create(Summary_ValueSchema, { tag, value, ...(isKnown ? {} : { metadata: { pluginData: { pluginName }, dataClass } }) });
  }
}

/** What the plugin for hyperparameters is told: it stands in the metadata of a value that says nothing. */
export function hyperParameterValue(tag: 'experiment' | 'session_start_info' | 'session_end_info', data: HParamsPluginData): Summary_Value {
  return create(Summary_ValueSchema, {
    tag: `_hparams_/${tag}`,
    metadata: { pluginData: { pluginName: 'hparams', content: toBinary(HParamsPluginDataSchema, data) } },
    value: { case: 'tensor', value: { dtype: DataType.DT_FLOAT, tensorShape: { dim: [{ size: 0n }] } } },
  });
}
