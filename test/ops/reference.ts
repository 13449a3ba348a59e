// Functions of reals in 200 binary digits, as the reference for f64. In: doubles. Out: floats of long integers, and how far a
// double is from one.
// Holds: by definitions and series that share nothing with what is tested; relative errors stay far below 2⁻¹²⁰.

/** digits · 2^exponent. */
export interface Wide {
  readonly digits: bigint;
  readonly exponent: number;
}

const precision = 200;
const lengthOf = (digits: bigint): number => {
  const text = (digits < 0n ? -digits : digits).toString(16);
  return digits === 0n ? 0 : 4 * text.length - Math.clz32(parseInt(text[0] as string, 16)) + 28;
};

function wide(digits: bigint, exponent: number): Wide {
  const excess = lengthOf(digits) - precision;
  if (excess <= 0) return { digits, exponent };
  return { digits: (digits + (1n << BigInt(excess - 1))) >> BigInt(excess), exponent: exponent + excess };
}

const buffer = new Float64Array(1);
const pattern = new BigInt64Array(buffer.buffer);

/** A finite double, exactly. */
export function wideOf(x: number): Wide {
  buffer[0] = Math.abs(x);
  const bits = pattern[0] as bigint;
  const field = Number(bits >> 52n);
  const digits = (bits & ((1n << 52n) - 1n)) | (field === 0 ? 0n : 1n << 52n);
  return { digits: x < 0 ? -digits : digits, exponent: Math.max(field, 1) - 1075 };
}

const [zero, one, two] = [0, 1, 2].map(wideOf) as [Wide, Wide, Wide];
/** The exponent of the first digit. */
const magnitude = ({ digits, exponent }: Wide): number => (digits === 0n ? -Infinity : lengthOf(digits) - 1 + exponent);
const negative = ({ digits, exponent }: Wide): Wide => ({ digits: -digits, exponent });
const isNegative = ({ digits }: Wide): boolean => digits < 0n;
const times2 = ({ digits, exponent }: Wide, n: number): Wide => ({ digits, exponent: exponent + n });

function plus(a: Wide, b: Wide): Wide {
  if (a.digits === 0n) return b;
  if (b.digits === 0n) return a;
  // What is much smaller counts as its sign only.
  const gap = magnitude(a) - magnitude(b);
  if (Math.abs(gap) > 2 * precision) return gap > 0 ? a : b;
  const exponent = Math.min(a.exponent, b.exponent);
  return wide((a.digits << BigInt(a.exponent - exponent)) + (b.digits << BigInt(b.exponent - exponent)), exponent);
}
const minus = (a: Wide, b: Wide): Wide => plus(a, negative(b));
const times = (a: Wide, b: Wide): Wide => wide(a.digits * b.digits, a.exponent + b.exponent);

function over(a: Wide, b: Wide): Wide {
  const shift = Math.max(0, precision + 4 + lengthOf(b.digits) - lengthOf(a.digits));
  return wide((a.digits << BigInt(shift)) / b.digits, a.exponent - shift - b.exponent);
}

function squareRoot({ digits, exponent }: Wide): Wide {
  if (digits <= 0n) return zero;
  let shift = Math.max(0, 2 * precision - lengthOf(digits));
  if ((exponent - shift) % 2 !== 0) shift++;
  const radicand = digits << BigInt(shift);
  let root = 1n << BigInt(Math.ceil(lengthOf(radicand) / 2));
  for (let next = root; ; root = next) {
    next = (root + radicand / root) >> 1n;
    if (next >= root) break;
  }
  return wide(root, (exponent - shift) / 2);
}

const near = (x: Wide): number => {
  const cut = Math.max(0, lengthOf(x.digits) - 60);
  const value = Number(x.digits >> BigInt(cut));
  const exponent = x.exponent + cut;
  return value * 2 ** Math.trunc(exponent / 2) * 2 ** (exponent - Math.trunc(exponent / 2));
};

/** Σ terms until they no longer count, each made of the one before. */
function series(first: Wide, next: (term: Wide, n: number) => Wide): Wide {
  let [total, term] = [first, first];
  for (let n = 1; magnitude(term) > magnitude(total) - precision - 4; n++) total = plus(total, (term = next(term, n)));
  return total;
}
const whole = (n: number): Wide => ({ digits: BigInt(n), exponent: 0 });

/** Digits of π behind the point: as many as the largest double needs. */
const piDigits = 1400;
/** Machin's formula. */
const pi = ((): bigint => {
  const unit = 1n << BigInt(piDigits + 20);
  const inverse = (n: bigint): bigint => {
    let [total, power] = [0n, unit / n];
    for (let k = 0n; power !== 0n; k++, power /= n * n) total += ((k % 2n === 0n ? 1n : -1n) * power) / (2n * k + 1n);
    return total;
  };
  return (4n * (4n * inverse(5n) - inverse(239n))) >> 20n;
})();
const piWide = wide(pi, -piDigits);
const arctangentStep = (t: Wide): Wide => over(t, plus(one, squareRoot(plus(one, times(t, t)))));

function arctangent(t: Wide): Wide {
  if (t.digits === 0n) return t;
  if (isNegative(t)) return negative(arctangent(negative(t)));
  if (magnitude(t) > 0) return minus(times2(piWide, -1), arctangent(over(one, t)));
  const small = arctangentStep(arctangentStep(arctangentStep(t)));
  const square = negative(times(small, small));
  let power = small;
  const total = series(small, (_, n) => over((power = times(power, square)), whole(2 * n + 1)));
  return times2(total, 3);
}

/** 2 atanh(1/3). */
const ln2 = ((): Wide => {
  let power = over(two, whole(3));
  return series(power, (_, n) => over((power = over(power, whole(9))), whole(2 * n + 1)));
})();

/** eˣ − 1 of |x| below 1. */
function exponentialRest(x: Wide): Wide {
  if (x.digits === 0n) return x;
  const small = times2(x, -10);
  let rest = series(small, (term, n) => over(times(term, small), whole(n + 1)));
  for (let step = 0; step < 10; step++) rest = plus(times2(rest, 1), times(rest, rest));
  return rest;
}

/** Far beyond what doubles hold it is only large, or small. */
const beyond = 4096;

function expm1(x: Wide): Wide {
  if (Math.abs(near(x)) > beyond) return minus(exp(x), one);
  const n = magnitude(x) < -1 ? 0 : Math.round(near(x) / Math.LN2);
  const rest = exponentialRest(minus(x, times(whole(n), ln2)));
  return n === 0 ? rest : minus(times2(plus(one, rest), n), one);
}
function exp(x: Wide): Wide {
  if (Math.abs(near(x)) > beyond) return times2(one, isNegative(x) ? -beyond : beyond);
  const n = Math.round(near(x) / Math.LN2);
  return times2(plus(one, exponentialRest(minus(x, times(whole(n), ln2)))), n);
}

/** Twice Halley's step from the double, for v > −1. */
function log1p(v: Wide): Wide {
  if (v.digits === 0n) return v;
  const far = magnitude(v) >= 0;
  const n = far ? magnitude(v) : 0;
  const rest = far ? minus(times2(plus(one, v), -n), one) : v;
  const step = (y: Wide): Wide => {
    const found = expm1(y);
    return plus(y, over(times2(minus(rest, found), 1), plus(two, plus(rest, found))));
  };
  return plus(times(whole(n), ln2), rest.digits === 0n ? rest : step(step(startOf(rest))));
}
/** Doubles end before the smallest numbers do. */
const startOf = (v: Wide): Wide => (magnitude(v) < -200 ? v : wideOf(Math.log1p(near(v))));

function log(u: Wide): Wide {
  const n = magnitude(u);
  if (n === 0 || n === -1) return log1p(minus(u, one));
  return plus(times(whole(n), ln2), log1p(minus(times2(u, -n), one)));
}

/** x = quarter · π / 2 + rest. */
function reduced(x: Wide): { readonly quarter: number; readonly rest: Wide } {
  if (magnitude(x) < -2) return { quarter: 0, rest: x };
  const digits = x.exponent + piDigits >= 0 ? x.digits << BigInt(x.exponent + piDigits) : x.digits >> BigInt(-x.exponent - piDigits);
  const quarter = (2n * digits + pi / 2n) / pi - (digits < 0n ? 1n : 0n);
  return { quarter: Number(((quarter % 4n) + 4n) % 4n), rest: wide(digits - (quarter * pi) / 2n, -piDigits) };
}

function circular(x: Wide): { readonly sine: Wide; readonly cosine: Wide } {
  const { quarter, rest } = reduced(x);
  const square = negative(times(rest, rest));
  const sine = rest.digits === 0n ? rest : series(rest, (term, n) => over(times(term, square), whole(2 * n * (2 * n + 1))));
  const cosine = series(one, (term, n) => over(times(term, square), whole(2 * n * (2 * n - 1))));
  return [
    { sine, cosine },
    { sine: cosine, cosine: negative(sine) },
    { sine: negative(sine), cosine: negative(cosine) },
    { sine: negative(cosine), cosine: sine },
  ][quarter] as { sine: Wide; cosine: Wide };
}

const halfOf = (x: Wide): Wide => times2(x, -1);
const odd = (x: Wide, of: (size: Wide) => Wide): Wide => (isNegative(x) ? negative(of(negative(x))) : of(x));

function arctangent2(y: Wide, x: Wide): Wide {
  if (isNegative(y)) return negative(arctangent2(negative(y), x));
  if (x.digits === 0n) return y.digits === 0n ? zero : halfOf(piWide);
  const angle = arctangent(over(y, x));
  return isNegative(x) ? plus(piWide, angle) : angle;
}
const otherLeg = (x: Wide): Wide => squareRoot(times(minus(one, x), plus(one, x)));

/** All terms positive (Abramowitz and Stegun 7.1.6). */
function erf(x: Wide): Wide {
  if (near(x) > 7) return one;
  if (x.digits === 0n) return x;
  const square = times2(times(x, x), 1);
  const total = series(x, (term, n) => over(times(term, square), whole(2 * n + 1)));
  return times(over(times2(total, 1), squareRoot(piWide)), exp(negative(times(x, x))));
}

/** Of finite arguments inside of the domain, and not so large that results overflow long integers. */
export const references = {
  exp,
  expm1,
  log,
  log1p,
  sin: (x: Wide) => circular(x).sine,
  cos: (x: Wide) => circular(x).cosine,
  tan: (x: Wide) => over(circular(x).sine, circular(x).cosine),
  asin: (x: Wide) => arctangent2(x, otherLeg(x)),
  acos: (x: Wide) => arctangent2(otherLeg(x), x),
  atan: arctangent,
  atan2: arctangent2,
  sinh: (x: Wide) => odd(x, (a) => halfOf(plus(expm1(a), over(expm1(a), plus(expm1(a), one))))),
  cosh: (x: Wide) => halfOf(plus(exp(x), exp(negative(x)))),
  tanh: (x: Wide) => odd(x, (a) => over(expm1(times2(a, 1)), plus(expm1(times2(a, 1)), two))),
  asinh: (x: Wide) => odd(x, (a) => log1p(plus(a, over(times(a, a), plus(one, squareRoot(plus(one, times(a, a)))))))),
  acosh: (x: Wide) => log1p(plus(minus(x, one), squareRoot(times(minus(x, one), plus(x, one))))),
  atanh: (x: Wide) => odd(x, (a) => halfOf(log1p(over(times2(a, 1), minus(one, a))))),
  erf: (x: Wide) => odd(x, erf),
  pow: (x: Wide, y: Wide) => exp(times(y, log(x))),
} as const satisfies Readonly<Record<string, (x: Wide, y: Wide) => Wide>>;

/** From decimal text. */
export function wideOfText(text: string): Wide {
  const [, sign, before, after = '', power = '0'] = /^(-?)(\d+)\.?(\d*)(?:e(.*))?$/.exec(text) as unknown as [
    string,
    string,
    string,
    string?,
    string?,
  ];
  const tens = Number(power) - after.length;
  const digits: Wide = { digits: BigInt(`${sign}${before}${after}`), exponent: 0 };
  const scale: Wide = { digits: 10n ** BigInt(Math.abs(tens)), exponent: 0 };
  return tens < 0 ? over(digits, scale) : times(digits, scale);
}

/** How many binary digits two have in common. */
export const digitsInCommon = (a: Wide, b: Wide): number => magnitude(b) - magnitude(minus(a, b));

/** Units in the last place of f64 between a double and the exact value; infinity counts as 2¹⁰²⁴. */
export function ulpsFrom(got: number, exact: Wide): number {
  const place = Math.min(Math.max(magnitude(exact) - 52, -1074), 971);
  const found = Number.isFinite(got) ? wideOf(got) : { digits: got < 0 ? -1n : 1n, exponent: 1024 };
  const bounded = magnitude(exact) >= 1024 ? { digits: isNegative(exact) ? -1n : 1n, exponent: 1024 } : exact;
  return Number.isNaN(got) ? Infinity : Math.abs(near(times2(minus(found, bounded), -place)));
}
