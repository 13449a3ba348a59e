// What a process has cost. In: a process that runs. Out: seconds of processors, bytes. Holds: Linux: both come from /proc, in hundredths of
// a second and in kilobytes; threads count, and children that have ended.

import { readFileSync } from 'node:fs';

export interface Cost {
  readonly processorSeconds: number;
  readonly peakBytes: number;
}

/** In which the kernel counts: a second has so many ticks. */
const ticks = 100;

/** The fields of a process's `stat` behind its name: time of its own in both modes, then that of its children. */
const [firstTime, afterTimes] = [11, 15];

export function costOf(process: number | 'self'): Cost {
  const stat = readFileSync(`/proc/${process}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const times = fields.slice(firstTime, afterTimes).map(Number);
  const peak = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${process}/status`, 'utf8'))?.[1];
  return { processorSeconds: times.reduce((sum, time) => sum + time, 0) / ticks, peakBytes: 1024 * Number(peak ?? Number.NaN) };
}
