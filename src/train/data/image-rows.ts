// Images as rows of a feed. In: an image, the shape of a feed's rows. Out: its pixels in that layout: [H, W] grey; [H, W, C] or [C, H, W]
// with C = 1 grey, 3 colours, 4 colours and alpha; [N] pixels in a row. Holds: floats are from 0 to 1, whole numbers from 0 to 255; grey is
// made of colours by their luminance (Rec. 601), colours of grey by repeating it; transparency is never dropped in silence.

import type { ElementType, TensorSpec, TypedArray } from '../../../runtime/index.js';
import { elements } from '../../../runtime/element.js';
import { badData } from '../../input/json.js';
import { DiagnosticsError } from '../../base/index.js';
import type { Image } from './image.js';

export interface Layout {
  readonly channels: 1 | 3 | 4;
  /** Whether channels are planes: [C, H, W]. */
  readonly isPlanar: boolean;
  readonly rowShape: readonly number[];
  readonly width: number;
  readonly height: number;
}

type Sizes = readonly (number | undefined)[];

/** How images of this size fill the rows. Errors: shape-mismatch. */
export function layoutOf(path: string, feed: TensorSpec, { width, height }: Pick<Image, 'width' | 'height'>): Layout {
  const own: Sizes = feed.shape.slice(1).map((size) => (typeof size === 'number' ? size : undefined));
  const fits = (shape: readonly number[]): boolean =>
    own.length === shape.length && own.every((size, axis) => size === undefined || size === shape[axis]);
  const candidates: Omit<Layout, 'width' | 'height'>[] = [{ channels: 1, isPlanar: false, rowShape: [height, width] }];
  for (const channels of [3, 1, 4] as const)
    candidates.push(
      { channels, isPlanar: false, rowShape: [height, width, channels] },
      { channels, isPlanar: true, rowShape: [channels, height, width] },
      // Without sizes of its own, a row of pixels is grey.
      { channels, isPlanar: false, rowShape: [height * width * channels] },
    );
  candidates.sort((a, b) => a.rowShape.length - b.rowShape.length || (a.rowShape.length === 1 ? a.channels - b.channels : 0));
  const found = candidates.find(({ rowShape }) => fits(rowShape));
  if (found !== undefined) return { ...found, width, height };
  throw new DiagnosticsError([
    {
      code: 'shape-mismatch',
      message: `${path}: an image of ${width}×${height} pixels (width × height) does not fill rows of ${feed.name}, [${own.map((size) => size ?? '?').join(', ')}]`,
      hint: 'Images fill [H, W], [H, W, C], [C, H, W] or [H*W*C] with C = 1, 3 or 4.',
    },
  ]);
}

/** Pixels to `into` from `at` on. Errors: bad-data for an image of another size, or with transparency that the layout does not take. */
export function writeImage(path: string, image: Image, layout: Layout, dtype: ElementType, into: TypedArray, at: number): void {
  const { width, height } = layout;
  if (image.width !== width || image.height !== height)
    throw badData(
      `${path}: an image of ${image.width}×${image.height} pixels, and the first has ${width}×${height}`,
      'Bring all images to one size.',
    );
  const write = writerOf(path, dtype, image.white);
  const pixels = width * height;
  const alpha = image.channels === 2 || image.channels === 4 ? image.channels - 1 : undefined;
  for (let pixel = 0; pixel < pixels; pixel += 1) {
    const from = pixel * image.channels;
    const sample = (channel: number): number => image.data[from + channel] ?? 0;
    if (alpha !== undefined && layout.channels !== 4 && sample(alpha) !== image.white)
      throw badData(
        `${path}: pixel ${pixel % width}, ${Math.floor(pixel / width)} is transparent`,
        'Put images on a background, or take four channels.',
      );
    const isGrey = image.channels < 3;
    for (let channel = 0; channel < layout.channels; channel += 1) {
      const value =
        channel === 3
          ? alpha === undefined
            ? image.white
            : sample(alpha)
          : isGrey
            ? sample(0)
            : layout.channels === 1
              ? 0.299 * sample(0) + 0.587 * sample(1) + 0.114 * sample(2)
              : sample(channel);
      into[at + (layout.isPlanar ? channel * pixels + pixel : pixel * layout.channels + channel)] = write(value);
    }
  }
}

function writerOf(path: string, dtype: ElementType, white: number): (value: number) => number {
  switch (dtype) {
    case 'f32':
    case 'f64':
      return (value) => value / white;
    case 'u8':
    case 'i16':
    case 'i32':
    case 'u16':
    case 'u32':
      return (value) => Math.round((value * 255) / white);
    default: {
      const { patterns } = elements[dtype];
      if (patterns !== undefined) return (value) => patterns.fromNumber(value / white);
      throw new DiagnosticsError([
        { code: 'dtype-mismatch', message: `${path}: pixels are floats, u8, u16, u32, i16 or i32, and no ${dtype}` },
      ]);
    }
  }
}
