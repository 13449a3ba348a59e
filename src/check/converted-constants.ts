// Constants that another dtype does not hold. In: a constant node, or one of a list's, that is converted. Out: a warning. Holds: what a
// conversion makes of a constant is known before anything runs, so it is said once where it stands; infinities and NaN stay what they are,
// and integers keep their low bits without a word, which is what whoever converts them asks for.

import type { Span } from '../../grammar/index.js';
import { type DType, dtypes, isFloat, isInteger } from '../base/index.js';
import type { Node, TensorNode } from '../graph/index.js';
import * as ops from '../ops/index.js';
import type { Context } from './context.js';
import { warn } from './report.js';
import { Fraction } from '../base/index.js';
import { exactNumber, number, type NumberValue, shown } from './values.js';
