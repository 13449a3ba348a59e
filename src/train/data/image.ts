// One image: PNG (fast-png) or JPEG (jpeg-js). In: a path. Out: pixels. Holds: a file that promises more pixels than an image has, or whose
// data unpacks to more than its pixels take, is refused before it is decoded; checksums fit.

import type * as FastPng from 'fast-png';
import type * as JpegJs from 'jpeg-js';
import { inflateSync } from 'node:zlib';
import { readRegular } from '../../input/files.js';
import { DiagnosticsError } from '../../base/index.js';
import { badData } from '../../input/json.js';
import { library } from '../../input/library.js';

export interface Image {
  readonly width: number;
  readonly height: number;
  /** 1: grey, 2: grey and alpha, 3: red, green, blue, 4: and alpha. */
  readonly channels: 1 | 2 | 3 | 4;
  /** Pixel by pixel, row by row. */
  readonly data: ArrayLike<number>;
  /** What white is: 255, or 65,535 in PNG files of 16 bits. */
  readonly white: number;
}

/** Bytes of a file. */
const longestFile = 2 ** 28;

/** Pixels, in millions. */
const mostPixels = 100;

/** What may be unpacked without looking whether it is what the header promises. */
const harmless = 2 ** 26;

/** Deflate writes two bits for 258 bytes at best. */
const bestCompression = 1032;

export const isImageName = (name: string): boolean => /\.(?:png|jpe?g)$/i.test(name);

/** Errors: file-not-found; bad-data for what is no PNG or JPEG, or damaged. */
export function readImage(path: string): Image {
  const bytes = readRegular(path, longestFile);
  try {
    if (bytes.length > 8 && bytes.toString('latin1', 0, 8) === '\x89PNG\r\n\x1a\n') return readPng(path, bytes);
    if (bytes[0] === 0xff && bytes[1] === 0xd8) return readJpeg(path, bytes);
  } catch (error) {
    if (error instanceof DiagnosticsError) throw error;
    if (error instanceof Error && /^max\w+ limit exceeded/.test(error.message))
      throw badData(`${path}: damaged image: it promises more pixels than ${bytes.length} bytes can hold, or than can be decoded`);
    throw badData(`${path}: damaged image: ${error instanceof Error ? error.message : String(error)}`);
  }
  throw badData(`${path}: neither a PNG nor a JPEG image`);
}

function readPng(path: string, bytes: Buffer): Image {
  const promised = pngBytes(path, bytes);
  const { decode, convertIndexedToRgb } = library<typeof FastPng>('fast-png');
  requireNoMore(path, bytes, promised);
  const png = decode(bytes, { checkCrc: true });
  const { width, height, depth } = png;
  if (png.palette !== undefined) {
    const [color] = png.palette;
    const channels = (color?.length ?? 3) === 4 ? 4 : 3;
    return { width, height, channels, data: convertIndexedToRgb(png), white: 255 };
  }
  const { data } = png;
  const channels = png.channels as Image['channels'];
  if (data.length < Math.ceil((width * channels * Math.min(depth, 8)) / 8) * height)
    throw badData(`${path}: damaged image: pixels are missing`);
  return depth >= 8
    ? { width, height, channels, data, white: depth === 16 ? 65_535 : 255 }
    : { width, height, channels, data: unpackBits(png), white: 255 };
}

/** Grey pixels of 1, 2 or 4 bits, each line on bytes of its own. */
function unpackBits({ width, height, depth, data }: FastPng.DecodedPng): Uint8Array {
  const line = Math.ceil((width * depth) / 8);
  const most = 2 ** depth - 1;
  return Uint8Array.from({ length: width * height }, (_, at) => {
    const [row, column] = [Math.floor(at / width), at % width];
    const bit = column * depth;
    const byte = data[row * line + (bit >> 3)] ?? 0;
    return Math.round((((byte >> (8 - depth - (bit & 7))) & most) * 255) / most);
  });
}

/** How many bytes the pixels are when they are unpacked, by the header. */
function pngBytes(path: string, bytes: Buffer): number {
  if (bytes.length < 33 || bytes.toString('latin1', 12, 16) !== 'IHDR') throw badData(`${path}: damaged image: no header`);
  const [width, height] = [bytes.readUInt32BE(16), bytes.readUInt32BE(20)];
  const [depth, color] = [bytes[24] ?? 0, bytes[25] ?? 0];
  if (width === 0 || height === 0 || width * height > mostPixels * 1e6) throw badData(`${path}: an image of ${width}×${height} pixels`);
  const samples = [1, 0, 3, 1, 2, 0, 4][color] ?? 0;
  // Interlaced images have up to seven lines for each, with a byte in front.
  return height * Math.ceil((width * samples * depth) / 8) + 8 * (width + height) + 64;
}

/** Errors: bad-data when the data would become more than the pixels take. */
function requireNoMore(path: string, bytes: Buffer, promised: number): void {
  const parts: Buffer[] = [];
  let packed = 0;
  for (let at = 8; at + 12 <= bytes.length;) {
    const length = bytes.readUInt32BE(at);
    const type = bytes.toString('latin1', at + 4, at + 8);
    if (type === 'IDAT' || type === 'iCCP') {
      packed += length;
      if (type === 'IDAT') parts.push(bytes.subarray(at + 8, at + 8 + length));
      else if (length * bestCompression > harmless) throw badData(`${path}: damaged image: a colour profile of ${length} packed bytes`);
    }
    at += 12 + length;
  }
  if (packed * bestCompression <= harmless) return;
  try {
    inflateSync(Buffer.concat(parts), { maxOutputLength: promised });
  } catch (error) {
    throw badData(
      `${path}: damaged image: ${error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE' ? 'more data than pixels' : 'its data cannot be unpacked'}`,
    );
  }
}

/** A block of 8 × 8 samples takes two bits at least, or, where an image comes in several scans, one. */
const mostPixelsPerByte = 8 * 64;

/** Coefficients and samples of up to four components while they are decoded. */
const bytesPerPixel = 32;

function readJpeg(path: string, bytes: Buffer): Image {
  const { decode } = library<typeof JpegJs>('jpeg-js');
  // Memory is taken before pixels are missed, so what the header promises is believed as far as the file is long.
  const pixels = Math.min(mostPixels * 1e6, mostPixelsPerByte * bytes.length);
  const { width, height, data } = decode(bytes, {
    useTArray: true,
    formatAsRGBA: false,
    tolerantDecoding: false,
    maxResolutionInMP: pixels / 1e6,
    maxMemoryUsageInMB: Math.min(512, 1 + (pixels * bytesPerPixel) / 2 ** 20),
  });
  // Files with one component come out grey in three equal channels or in one.
  const channels = data.length / (width * height);
  if (channels !== 1 && channels !== 3) throw badData(`${path}: damaged image: ${data.length} samples for ${width}×${height} pixels`);
  return { width, height, channels, data, white: 255 };
}
