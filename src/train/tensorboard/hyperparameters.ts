// Hyperparameters for TensorBoard's plugin. In: values by name, tags of metrics. Out: summaries of the experiment, of the session's start
// and of its end. Holds: each run's directory has the experiment, because any of several runs may be looked at alone.

import { createHash } from 'node:crypto';
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import type { HyperParameter, Outcome } from '../recorder.js';
import type { Summary_Value } from './proto/event_pb.js';
import { DataType, HParamsPluginDataSchema, Status } from './proto/hparams_pb.js';
import { hyperParameterValue } from './summaries.js';

/** `time`: seconds since 1970. */
export function sessionStart(
  values: Readonly<Record<string, HyperParameter>>,
  metrics: readonly string[],
  time: number,
): readonly Summary_Value[] {
  const sorted = Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1));
  const experiment = pluginData({
    case: 'experiment',
    value: {
      timeCreatedSecs: time,
      hparamInfos: sorted.map(([name, value]) => ({ name, type: typeOf(value) })),
      metricInfos: metrics.map((tag) => ({ name: { tag } })),
    },
  });
  const start = pluginData({
    case: 'sessionStartInfo',
    value: {
      hparams: Object.fromEntries(sorted.map(([name, value]) => [name, valueOf(value)])),
      groupName: createHash('sha256').update(JSON.stringify(sorted)).digest('hex'),
      startTimeSecs: time,
    },
  });
  return [hyperParameterValue('experiment', experiment), hyperParameterValue('session_start_info', start)];
}

export function sessionEnd(outcome: Outcome, time: number): Summary_Value {
  const status = outcome === 'done' ? Status.SUCCESS : Status.FAILURE;
  return hyperParameterValue('session_end_info', pluginData({ case: 'sessionEndInfo', value: { status, endTimeSecs: time } }));
}

const pluginData = (data: NonNullable<MessageInitShape<typeof HParamsPluginDataSchema>['data']>) =>
  create(HParamsPluginDataSchema, { version: 0, data });

function typeOf(value: HyperParameter): DataType {
  if (typeof value === 'string') return DataType.STRING;
  return typeof value === 'boolean' ? DataType.BOOL : DataType.FLOAT64;
}

/** As a `google.protobuf.Value`. */
function valueOf(value: HyperParameter) {
  if (typeof value === 'string') return { kind: { case: 'stringValue' as const, value } };
  if (typeof value === 'boolean') return { kind: { case: 'boolValue' as const, value } };
  return { kind: { case: 'numberValue' as const, value } };
}
