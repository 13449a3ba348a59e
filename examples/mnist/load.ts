// Digits for the demo. In: a directory with MNIST's files, or nothing. Out: a training set and a test set. Holds: no digit is in both.

import { readDigits, TfcError } from '@tdsl/tfc';
import { type Digits, drawDigits, side } from './digits.js';

export interface Split {
  readonly training: Digits;
  readonly test: Digits;
}

export const pixels = side * side;

/**
 * MNIST's training and test files where both are there; else the last fifth of the one set is for the test. Errors: file-not-found,
 * bad-data.
 */
export function loadDigits(directory: string): Split {
  const [training, test] = [optional(directory, 'train'), optional(directory, 't10k')];
  if (training !== undefined && test !== undefined) return { training: checked(directory, training), test: checked(directory, test) };
  const whole = checked(directory, training ?? test ?? readDigits(directory));
  const cut = Math.floor(whole.count * 0.8);
  return { training: part(whole, 0, cut), test: part(whole, cut, whole.count) };
}

/** 8,000 drawn digits for training and 2,000 for the test. */
export const drawnDigits = (): Split => ({ training: drawDigits(8000, 1), test: drawDigits(2000, 2) });

function optional(directory: string, prefix: string): (Digits & { readonly pixels: number }) | undefined {
  try {
    return readDigits(directory, prefix);
  } catch (error) {
    if (error instanceof TfcError && error.code === 'file-not-found') return undefined;
    throw error;
  }
}

function checked(directory: string, digits: Digits & { readonly pixels: number }): Digits {
  if (digits.pixels !== pixels) throw new TfcError('bad-data', `${directory}: images of ${digits.pixels} pixels, expected ${pixels}`);
  return digits;
}

const part = ({ images, labels }: Digits, from: number, to: number): Digits => ({
  images: images.subarray(from * pixels, to * pixels),
  labels: labels.subarray(from, to),
  count: to - from,
});
