// Digits for the demo. In: a directory with MNIST's files, or nothing. Out: a training set, one for validation, one for the test. Holds: no
// digit is in two of them.

import { readDigits, TfcError } from '@tdsl/tfc';
import { type Digits, drawDigits, side } from './digits.js';

export interface Split {
  readonly training: Digits;
  readonly validation: Digits;
  readonly test: Digits;
}

export const pixels = side * side;

/**
 * MNIST's training and test files where both are there; else the last fifth of the one set is for the test. The last tenth of what trains
 * is for validation. Errors: file-not-found, bad-data.
 */
export function loadDigits(directory: string): Split {
  const [training, test] = [optional(directory, 'train'), optional(directory, 't10k')];
  if (training !== undefined && test !== undefined) return withValidation(checked(directory, training), checked(directory, test));
  const whole = checked(directory, training ?? test ?? readDigits(directory));
  const cut = Math.floor(whole.count * 0.8);
  return withValidation(part(whole, 0, cut), part(whole, cut, whole.count));
}

function withValidation(digits: Digits, test: Digits): Split {
  const cut = Math.floor(digits.count * 0.9);
  return { training: part(digits, 0, cut), validation: part(digits, cut, digits.count), test };
}

/** 8,000 drawn digits for training, 1,000 for validation and 2,000 for the test. */
export const drawnDigits = (): Split => ({ training: drawDigits(8000, 1), validation: drawDigits(1000, 3), test: drawDigits(2000, 2) });

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
