// erf of f64 in machine ops. In: an f64 expression. Out: an f64 expression without a branch.
// Holds: NaN stays NaN, and nothing is beyond ±1. The polynomials interpolate at Chebyshev's points (computed in 50 digits, for this
// project).

import type { Expr } from '../../../kernel/index.js';
import * as m from '../machine.js';
import { gaussian } from './exponential.js';

/** erf x / x − 1 in x² for |x| ≤ 0.9: leaves 2⁻⁵⁶ of erf x. */
const nearTail = [
  6.49502561029954e-11, -1.1652473945293408e-9, 1.4723494823392409e-8, -1.6358667560670684e-7, 1.6461696158782457e-6,
  -1.4925633568608262e-5, 1.2055332519432235e-4, -8.54832701490715e-4, 0.005223977625340751, -0.026866170645124077, 0.112837916709551,
  -0.37612638903183754, 0.1283791670955126,
];
/** erfc x · e^x² · (1 + 2x) in t = (x − 2.5) / (x + 2.5) for 0.875 ≤ x ≤ 6: leaves 2⁻⁵⁸ of 1. */
const farTail = [
  -1.4242973824476483e-6, -3.847632991428548e-6, 2.6378069679523716e-6, 2.2594421273526203e-5, 6.2455038173846516e-6,
  -1.1350662775219167e-4, -8.84753791674175e-5, 6.321230093455945e-4, 4.918654619145555e-4, -0.004382078276660444, 9.318928337320498e-4,
  0.032760893267045156, -0.1029670560389364, 0.15762991902323714, -0.09902453957359879, -0.12235676308240437, 1.2648381843668615,
];
const border = 0.89;

/** Near 0 a polynomial; elsewhere 1 − erfc x. */
export function erf(x: Expr): Expr {
  const size = m.abs(x);
  const near = m.fma(size, m.horner(m.mul(size, size), nearTail), size);
  // Beyond 6 the result rounds to 1.
  const far = m.least(m.f64(6), size);
  const t = m.div(m.sub(far, m.f64(2.5)), m.add(far, m.f64(2.5)));
  const complement = m.div(m.mul(gaussian(far), m.horner(t, farTail)), m.fma(m.f64(2), far, m.f64(1)));
  return m.copysign(m.select(m.lt(size, m.f64(border)), near, m.sub(m.f64(1), complement)), x);
}
