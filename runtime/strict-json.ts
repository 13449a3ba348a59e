// JSON text of others. In: text, how deep it may nest. Out: its value. Holds: refused is also what JSON.parse lets pass in silence: a
// member given twice, a number beyond the range of doubles, half of a surrogate pair; and before anything is built, nesting that would end
// the stack of whoever walks the value, and more arrays and objects than a heap holds.

export interface StrictJson {
  readonly maximumDepth: number;
  /** Numbers are digits alone: sizes and positions, not 1.0 or 1e3. */
  readonly wholeNumbers?: boolean;
}

/** What is wrong with a text, and where. */
export class JsonMistake extends Error {
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

/** Each takes about a hundred bytes. */
const maximumContainers = 2 ** 23;

/** @throws JsonMistake, or SyntaxError of JSON.parse. */
export function parseStrictJson(text: string, limits: StrictJson): unknown {
  const mistake = firstMistake(text, limits);
  const value = JSON.parse(text) as unknown;
  // Only now: what is no JSON at all is told so.
  if (mistake !== undefined) throw mistake;
  return value;
}

/** Goes once along the text, without minding whether it is JSON. @throws JsonMistake when it must not be parsed at all. */
function firstMistake(text: string, { maximumDepth, wholeNumbers = false }: StrictJson): JsonMistake | undefined {
  let first: JsonMistake | undefined;
  /** Per object that is open its members, per array undefined. */
  const open: (Set<string> | undefined)[] = [];
  let containers = 0;
  let isMember = false;
  for (let at = 0; at < text.length; at += 1) {
    switch (text[at]) {
      case '{':
      case '[':
        if (open.length === maximumDepth) throw new JsonMistake(`arrays and objects in one another, more than ${maximumDepth} deep`, at);
        if (++containers > maximumContainers) throw new JsonMistake(`more than ${maximumContainers} arrays and objects`, at);
        isMember = text[at] === '{';
        open.push(isMember ? new Set() : undefined);
        break;
      case '}':
      case ']':
        open.pop();
        isMember = false;
        break;
      case ',':
        isMember = open.at(-1) !== undefined;
        break;
      case '"': {
        const { end, escaped, half } = stringAt(text, at);
        if (half !== undefined) first ??= new JsonMistake(`${text.slice(half, half + 6)} is half of a character`, half);
        if (isMember) {
          const name = escaped ? unescaped(text.slice(at, end + 1)) : text.slice(at + 1, end);
          const members = open.at(-1);
          if (members?.has(name) === true) first ??= new JsonMistake(`${shortened(JSON.stringify(name))} is given twice`, at);
          members?.add(name);
          isMember = false;
        }
        at = end;
        break;
      }
      default: {
        const char = text.charCodeAt(at);
        if (char !== code.minus && !(char >= code.zero && char <= code.nine)) break;
        const { end, digits, exponent } = numberAt(text, at);
        // The largest double has 309 digits.
        if ((exponent || end - at > 308) && Math.abs(Number(text.slice(at, end))) === Infinity)
          first ??= new JsonMistake(`${shortened(text.slice(at, end))} is beyond the range of numbers`, at);
        if (wholeNumbers && !digits) first ??= new JsonMistake(`${shortened(text.slice(at, end))} is no whole number`, at);
        at = end - 1;
      }
    }
  }
  return first;
}

const code = {
  quote: 0x22,
  plus: 0x2b,
  minus: 0x2d,
  point: 0x2e,
  zero: 0x30,
  nine: 0x39,
  capitalE: 0x45,
  backslash: 0x5c,
  e: 0x65,
} as const;

const shortened = (token: string): string => (token.length > 60 ? `${token.slice(0, 40)}…` : token);

/** Where the number ends, whether it is digits alone, and whether it has an exponent. */
function numberAt(text: string, start: number): { readonly end: number; readonly digits: boolean; readonly exponent: boolean } {
  let [digits, exponent] = [true, false];
  for (let end = start; ; end += 1) {
    const char = text.charCodeAt(end);
    if (char >= code.zero && char <= code.nine) continue;
    if (char === code.e || char === code.capitalE) exponent = true;
    else if (char !== code.point && char !== code.plus && char !== code.minus) return { end, digits, exponent };
    digits = false;
  }
}

/** Where the closing quote is, whether there are escapes, and the first that is half of a surrogate pair. */
function stringAt(text: string, start: number): { readonly end: number; readonly escaped: boolean; readonly half: number | undefined } {
  let escaped = false;
  let half: number | undefined;
  for (let end = start + 1; ; end += 1) {
    const char = text.charCodeAt(end);
    if (char === code.quote || end >= text.length) return { end, escaped, half };
    if (char !== code.backslash) continue;
    escaped = true;
    const isHalf = text[end + 1] === 'u' && /^[dD][89a-fA-F]/.test(text.slice(end + 2, end + 4));
    const isPair = isHalf && /^[89abAB]..\\u[dD][c-fC-F]/.test(text.slice(end + 3, end + 10));
    if (isHalf && !isPair) half ??= end;
    end += isPair ? 11 : 1;
  }
}

function unescaped(string: string): string {
  try {
    return JSON.parse(string) as string;
  } catch {
    return string;
  }
}
