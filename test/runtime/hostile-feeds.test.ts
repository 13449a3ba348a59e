// Feeds that do something while they are taken: getters, proxies, tensors with properties of their own. Whatever they do, a run sees what
// was fed when all of them had been read, or is refused.
import { describe, expect, test } from 'vitest';
import { type Session, Tensor, openModule, tensor, toJson } from '../../runtime/index.js';
import { compileFixture, scratch, thrown } from './fixture.js';

const path = compileFixture(scratch(), 'hostile');
const open = (): Session => openModule(path).session({ threads: 1 });
const detach = (array: Float32Array | Float64Array): void =>
  void structuredClone(array.buffer, { transfer: [array.buffer as ArrayBuffer] });
/** Feeds of `scale`; `act` runs when the second one is read, after the first was. */
const feedsWith = (x: unknown, act: () => void): { x: never; factor: number } => ({
  x: x as never,
  get factor() {
    act();
    return 2;
  },
});

describe('a getter', () => {
  test('that takes the memory of an array which was read before it', () => {
    using session = open();
    for (const wrap of [
      (x: Float32Array): unknown => x,
      (x: Float32Array): unknown => tensor(x, [1, 3]),
      (x: Float32Array): unknown => ({ data: x, shape: [1, 3] }),
    ]) {
      const x = Float32Array.of(1, 2, 3);
      const fed = wrap(x);
      // First the array is bound, so that it is known the next time.
      expect(toJson(session.run('scale', { x: fed as never, factor: 2 }))).toEqual([[2, 4, 6]]);
      expect(
        thrown(() =>
          session.run(
            'scale',
            feedsWith(fed, () => detach(x)),
          ),
        ),
      ).toMatchObject({ code: expect.stringMatching(/^(bad-data|shape-mismatch)$/) as unknown, feed: 'x' });
    }
  });

  test('that makes a buffer smaller', () => {
    using session = open();
    for (const bound of [false, true]) {
      // `lib` does not know resizable buffers yet.
      const buffer = new (ArrayBuffer as unknown as new (bytes: number, options: object) => ArrayBuffer & { resize(bytes: number): void })(
        24,
        { maxByteLength: 4096 },
      );
      const [fixed, tracking] = [new Float32Array(buffer, 0, 6), new Float32Array(buffer)];
      if (bound) session.run('scale', { x: tracking, factor: 2 });
      tracking.fill(1);
      expect(
        toJson(
          session.run(
            'scale',
            feedsWith(tracking, () => buffer.resize(12)),
          ),
        ),
      ).toEqual([[2, 2, 2]]);
      expect(thrown(() => session.run('scale', { x: fixed, factor: 2 }))).toMatchObject({ code: 'bad-data', feed: 'x' });
      buffer.resize(4096);
      expect(session.run('scale', { x: tracking.subarray(0, 1023), factor: 2 })).toMatchObject({ shape: [341, 3] });
    }
  });

  test('of a proxy, asked for its prototype', () => {
    using session = open();
    const a = Float32Array.of(1, 2, 3);
    let armed = false;
    // The second feed of `train` acts whenever the runtime wants to know what it is.
    const y = new Proxy(tensor(Float32Array.of(1)), {
      getPrototypeOf: (target) => {
        if (armed) detach(a);
        return Reflect.getPrototypeOf(target) as object;
      },
    });
    session.set('net/w', [0, 0]);
    expect(
      thrown(() => {
        armed = true;
        session.run('train', { x: tensor(a.subarray(0, 2), [1, 2]), y: y as never });
      }),
    ).toMatchObject({ code: 'bad-data', feed: 'x' });
  });

  test('that closes the session', () => {
    const session = open();
    expect(
      thrown(() =>
        session.run(
          'scale',
          feedsWith(Float32Array.of(1, 2, 3), () => session.close()),
        ),
      ),
    ).toMatchObject({ code: 'session-closed' });
  });

  test('that runs the same entry with other sizes', () => {
    using session = open();
    const [outer, inner] = [Float32Array.of(1, 2, 3), Float32Array.of(4, 5, 6, 7, 8, 9)];
    for (let round = 0; round < 2; round += 1) {
      let within: unknown;
      const result = session.run(
        'scale',
        feedsWith(outer, () => (within = toJson(session.run('scale', { x: inner, factor: 10 })))),
      );
      expect(within).toEqual([
        [40, 50, 60],
        [70, 80, 90],
      ]);
      expect(toJson(result)).toEqual([[2, 4, 6]]);
    }
  });

  test('that throws leaves the session as it was', () => {
    using session = open();
    const failing = {
      x: Float32Array.of(1, 2, 3),
      get factor(): number {
        throw new Error('mine');
      },
    };
    expect(() => session.run('scale', failing)).toThrow('mine');
    expect(toJson(session.run('scale', { x: Float32Array.of(1, 2, 3), factor: 2 }))).toEqual([[2, 4, 6]]);
  });

  test('of options, read before feeds are taken', () => {
    using session = open();
    const x = new Float64Array(8).fill(1);
    const options = {
      batch: {
        get N() {
          detach(x);
          return 4;
        },
      },
    };
    expect(thrown(() => session.runSteps('sum', { x }, options))).toMatchObject({ code: 'bad-data', feed: 'x' });
  });
});

test('arrays that say something else of themselves than the engine does', () => {
  using session = open();
  class Lying extends Float32Array {
    override get length(): number {
      return 3000;
    }
    override get [Symbol.toStringTag](): 'Float32Array' {
      return 'Float32Array';
    }
  }
  expect(
    toJson(session.run('scale', { x: Object.setPrototypeOf(Float32Array.of(1, 2, 3), Lying.prototype) as Float32Array, factor: 1 })),
  ).toEqual([[1, 2, 3]]);
  const pretending = Object.defineProperty(new Float64Array(3), Symbol.toStringTag, { value: 'Float32Array' });
  expect(thrown(() => session.run('scale', { x: pretending as never, factor: 1 }))).toMatchObject({ code: 'dtype-mismatch' });
  const changed = tensor(Float32Array.of(1, 2, 3), [1, 3]);
  session.run('scale', { x: changed, factor: 1 });
  Object.defineProperty(changed, 'shape', { value: [1000, 3] });
  expect(thrown(() => session.run('scale', { x: changed, factor: 1 }))).toMatchObject({ code: 'shape-mismatch' });
  expect(thrown(() => new Tensor('f32', [2 ** 31, 2 ** 31], new Float32Array(1)))).toMatchObject({ code: 'bad-data' });
});

test('arrays without an end, and ones that only pretend to have elements', () => {
  using session = open();
  const loop: unknown[] = [];
  loop.push(loop);
  for (const x of [
    loop,
    [loop, loop],
    { data: loop, shape: [1, 1] },
    new Proxy([], { get: (_, key) => (key === 'length' ? 2 ** 40 : 1) }),
    new Proxy([1], { get: () => NaN }),
  ]) {
    expect(thrown(() => session.run('scale', { x: x as never, factor: 1 }))).toMatchObject({
      code: expect.stringMatching(/^(bad-data|shape-mismatch|out-of-memory)$/) as unknown,
    });
    expect(thrown(() => session.set('net/w', x as never))).toHaveProperty('code');
  }
  const wide = openModule(path, { resolveOpen: () => expect.unreachable() as never }).session();
  expect(thrown(() => wide.run('wide', { x: loop as never }))).toMatchObject({ code: 'shape-mismatch' });
});

test('an array without its memory is no array without rows', () => {
  using session = open();
  const x = Float64Array.of(1, 2);
  expect(session.run('sum', { x })).toBe(3);
  detach(x);
  expect(thrown(() => session.run('sum', { x }))).toMatchObject({ code: 'bad-data', feed: 'x' });
  expect(thrown(() => session.run('sum', { x: new Float64Array(x.buffer) }))).toBeInstanceOf(TypeError);
  expect(session.run('sum', { x: new Float64Array(0) })).toBe(0);
  const empty = new Float64Array(0);
  detach(empty);
  expect(thrown(() => session.run('sum', { x: empty }))).toMatchObject({ code: 'bad-data' });
  expect(thrown(() => session.set('net/w', new Float32Array(2).subarray(0, 0)))).toMatchObject({ code: 'shape-mismatch' });
});

test('names that JavaScript gives every object', () => {
  using session = open();
  expect(thrown(() => session.run('constructor'))).toMatchObject({ code: 'unknown-entry' });
  expect(thrown(() => session.run('scale', JSON.parse('{"x":[[1,2,3]],"factor":1,"__proto__":1}') as never))).toMatchObject({
    code: 'unknown-feed',
    feed: '__proto__',
  });
  expect(thrown(() => session.run('scale', Object.create({ x: [[1, 2, 3]], factor: [1] }) as never))).toMatchObject({
    code: 'missing-feed',
  });
});
