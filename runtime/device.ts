// Where a session runs. In: what was asked for, kinds of devices that the artifact has code for. Out: what `open` makes for the number of a
// GPU, or -1 for this machine's processors. Holds: `auto` never fails for want of a GPU; whoever names a device gets that or an error.
import { TfcError } from './error.js';
import { translating } from './native.js';
import { shown } from './shown.js';

const processors = -1;
const first = 0;

/** @throws TfcError invalid-value, no-device; what `open` throws. */
export function openDevice<Opened>(asked: unknown, kinds: readonly string[], open: (number: number) => Opened): Opened {
  const hasCode = kinds.includes('cuda');
  if (asked === 'cpu' || (asked === 'auto' && !hasCode)) return translating(() => open(processors));
  if (asked === 'auto') {
    try {
      return translating(() => open(first));
    } catch (error) {
      if (!(error instanceof TfcError) || error.code !== 'no-device') throw error;
      return translating(() => open(processors));
    }
  }
  const number = typeof asked === 'string' ? /^cuda:(\d{1,4})$/.exec(asked)?.[1] : undefined;
  if (number === undefined)
    throw new TfcError('invalid-value', `A session runs on a device of the name auto, cpu, or cuda:0, not on ${shown(asked)}.`);
  if (!hasCode)
    throw new TfcError('no-device', `The module has no code for GPUs, and ${asked as string} was asked for.`, {
      hint: 'Compile it for them: compile("model.tdsl", { target: "cuda" }), or tfc compile model.tdsl --target cuda.',
    });
  return translating(() => open(Number(number)));
}
