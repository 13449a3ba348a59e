// Drawn digits: data for those who have no MNIST at hand. In: a count and a seed. Out: 28×28 images with labels. Holds: the same seed draws
// the same digits.

import { random, type Random } from '../random.js';

export interface Digits {
  /** Row-major pixels from 0 to 1, 784 per image. */
  readonly images: Float32Array;
  readonly labels: Int32Array;
  readonly count: number;
}

export const side = 28;

type Point = readonly [x: number, y: number];
type Stroke = readonly Point[];

const line = (...points: Point[]): Stroke => points;

/** Part of an ellipse, angles in turns, clockwise from the right (y points down). */
function arc(x: number, y: number, rx: number, ry: number, from: number, to: number): Stroke {
  const steps = Math.max(4, Math.ceil(Math.abs(to - from) * 16));
  return Array.from({ length: steps + 1 }, (_, at): Point => {
    const angle = 2 * Math.PI * (from + ((to - from) * at) / steps);
    return [x + rx * Math.cos(angle), y + ry * Math.sin(angle)];
  });
}

/** Ways to write each digit, in a square from 0 to 1. */
const glyphs: readonly (readonly (readonly Stroke[])[])[] = [
  [[arc(0.5, 0.5, 0.28, 0.4, 0, 1)], [arc(0.5, 0.5, 0.22, 0.38, -0.2, 0.85)]],
  [
    [line([0.5, 0.1], [0.5, 0.9])],
    [line([0.35, 0.25], [0.52, 0.1], [0.52, 0.9])],
    [line([0.35, 0.25], [0.5, 0.1], [0.5, 0.9]), line([0.32, 0.9], [0.7, 0.9])],
  ],
  [
    [[...arc(0.5, 0.32, 0.25, 0.22, 0.5, 1.08), [0.25, 0.88]], line([0.25, 0.88], [0.78, 0.88])],
    [[...arc(0.48, 0.3, 0.24, 0.2, 0.55, 1.15), ...arc(0.38, 0.82, 0.12, 0.08, 0.75, 0.1), [0.78, 0.9]]],
  ],
  [
    [arc(0.47, 0.3, 0.25, 0.2, 0.55, 1.25), arc(0.47, 0.7, 0.28, 0.2, -0.25, 0.45)],
    [line([0.25, 0.12], [0.72, 0.12], [0.48, 0.42]), arc(0.46, 0.66, 0.27, 0.24, -0.25, 0.42)],
  ],
  [
    [line([0.6, 0.1], [0.2, 0.62], [0.8, 0.62]), line([0.62, 0.4], [0.62, 0.92])],
    [line([0.3, 0.1], [0.27, 0.5], [0.72, 0.5]), line([0.7, 0.1], [0.68, 0.92])],
  ],
  [
    [line([0.72, 0.1], [0.32, 0.1], [0.29, 0.45]), arc(0.47, 0.65, 0.27, 0.25, -0.32, 0.4)],
    [[[0.7, 0.12], [0.35, 0.12], [0.32, 0.42], ...arc(0.45, 0.64, 0.28, 0.24, -0.28, 0.38)]],
  ],
  [
    [[[0.62, 0.1], [0.38, 0.35], ...arc(0.5, 0.67, 0.25, 0.22, 0.5, 1.5)]],
    [[...arc(0.62, 0.5, 0.36, 0.4, 0.78, 0.5), ...arc(0.48, 0.7, 0.22, 0.19, 0.5, -0.5)]],
  ],
  [[line([0.22, 0.12], [0.78, 0.12], [0.42, 0.9])], [line([0.22, 0.14], [0.76, 0.12], [0.45, 0.9]), line([0.38, 0.5], [0.7, 0.5])]],
  [
    [arc(0.5, 0.3, 0.2, 0.19, 0, 1), arc(0.5, 0.69, 0.25, 0.21, 0, 1)],
    [arc(0.52, 0.3, 0.17, 0.18, 0.1, 0.95), arc(0.48, 0.68, 0.22, 0.2, -0.2, 0.85)],
  ],
  [
    [arc(0.5, 0.32, 0.23, 0.21, 0, 1), line([0.73, 0.32], [0.68, 0.9])],
    [arc(0.48, 0.32, 0.22, 0.2, 0, 1), [...arc(0.38, 0.5, 0.32, 0.4, 0, 0.22)]],
  ],
];

/** How much hands differ: the ranges from which each digit draws its shape. Lengths are in pixels, angles in radians. */
const turn = 0.36;
const slant = 0.3;
const widths = [14, 22] as const;
const heights = [16, 23] as const;
const shift = 2.5;
const wobble = 0.04;
const halfThickness = [0.6, 1.5] as const;
const inks = [0.7, 1] as const;
/** Noise of each pixel, evenly from −noise to noise. */
const noise = 0.25;

/** `count` digits, each label as likely as the others. */
export function drawDigits(count: number, seed: number): Digits {
  const source = random(seed);
  const images = new Float32Array(count * side * side);
  const labels = new Int32Array(count);
  const away = new Float32Array(side * side);
  for (let at = 0; at < count; at++) {
    const label = source.integer(10);
    labels[at] = label;
    draw(images.subarray(at * side * side, (at + 1) * side * side), away, label, source);
  }
  return { images, labels, count };
}

/** `away` is scratch: each pixel's squared distance from the strokes, as far as it matters. */
function draw(image: Float32Array, away: Float32Array, label: number, source: Random): void {
  const ways = glyphs[label] as (typeof glyphs)[number];
  const way = ways[source.integer(ways.length)] as readonly Stroke[];
  const move = affine(source);
  const wave = unsteady(source);
  const reach = source.between(...halfThickness) + 0.5;
  const ink = source.between(...inks);
  away.fill(reach * reach);
  for (const stroke of way) {
    const points = stroke.map((point) => move(wave(point)));
    for (let at = 1; at < points.length; at++) mark(away, points[at - 1] as Point, points[at] as Point, reach);
  }
  for (let at = 0; at < image.length; at++) {
    const covered = Math.min(1, reach - Math.sqrt(away[at] as number));
    image[at] = Math.min(1, Math.max(0, ink * covered + noise * (2 * source.uniform() - 1)));
  }
}

/** Rotation, slant, sizes and place: from the square of the glyphs to pixels. */
function affine(source: Random): (point: Point) => Point {
  const angle = source.between(-turn, turn);
  const lean = source.between(-slant, slant);
  const [width, height] = [source.between(...widths), source.between(...heights)];
  const [left, top] = [side / 2 + source.between(-shift, shift), side / 2 + source.between(-shift, shift)];
  return ([x, y]) => {
    const [u, v] = [(x - 0.5) * width - lean * (y - 0.5) * height, (y - 0.5) * height];
    return [left + u * Math.cos(angle) - v * Math.sin(angle), top + u * Math.sin(angle) + v * Math.cos(angle)];
  };
}

/** An unsteady hand: a slow wave over the square. */
function unsteady(source: Random): (point: Point) => Point {
  const size = source.between(0, wobble);
  const [p, q] = [source.between(0, 2 * Math.PI), source.between(0, 2 * Math.PI)];
  return ([x, y]) => [x + size * Math.sin(6 * y + p), y + size * Math.sin(6 * x + q)];
}

/** Lowers the squared distances of the pixels within `reach` of a line. */
function mark(away: Float32Array, [ax, ay]: Point, [bx, by]: Point, reach: number): void {
  const [dx, dy] = [bx - ax, by - ay];
  const scale = 1 / Math.max(dx * dx + dy * dy, 1e-9);
  const [left, right] = [Math.max(0, Math.floor(Math.min(ax, bx) - reach)), Math.min(side - 1, Math.ceil(Math.max(ax, bx) + reach))];
  const [top, bottom] = [Math.max(0, Math.floor(Math.min(ay, by) - reach)), Math.min(side - 1, Math.ceil(Math.max(ay, by) + reach))];
  for (let y = top; y <= bottom; y++) {
    for (let x = left; x <= right; x++) {
      const [px, py] = [x + 0.5 - ax, y + 0.5 - ay];
      const along = Math.min(1, Math.max(0, (px * dx + py * dy) * scale));
      const [ex, ey] = [px - along * dx, py - along * dy];
      const squared = ex * ex + ey * ey;
      if (squared < (away[y * side + x] as number)) away[y * side + x] = squared;
    }
  }
}
