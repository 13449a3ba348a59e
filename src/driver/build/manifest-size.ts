// Sizes as a manifest has them. In: polynomials. Out: numbers, or terms. Holds: both mean the same.

import type { Size } from '../../../runtime/abi/manifest.js';
import type { Dim } from '../../base/index.js';

export const sizeOf = (dim: Dim): Size => dim.constant ?? dim.terms.map((term) => [term.coefficient, term.names] as const);
