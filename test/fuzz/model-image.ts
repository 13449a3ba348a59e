// What another reader takes for a PNG image. In: bytes. Out: pixels, or what is wrong. Holds: written after the format's description (RFC
// 2083) and not after the reader under test; only grey and coloured images of 8 bits that are not interlaced are decoded.

import { crc32, inflateSync } from 'node:zlib';

export interface ModelImage {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

export function modelImage(bytes: Uint8Array): ModelImage | 'damaged' | 'unknown' {
  const file = Buffer.from(bytes);
  if (file.toString('latin1', 0, 8) !== '\x89PNG\r\n\x1a\n') return 'damaged';
  const parts: Buffer[] = [];
  let header: Buffer | undefined;
  let hasMore = false;
  for (let at = 8; ;) {
    if (at + 12 > file.length) return 'damaged';
    const length = file.readUInt32BE(at);
    const type = file.toString('latin1', at + 4, at + 8);
    if (at + 12 + length > file.length || crc32(file.subarray(at + 4, at + 8 + length)) !== file.readUInt32BE(at + 8 + length))
      return 'damaged';
    const body = file.subarray(at + 8, at + 8 + length);
    if (type === 'IHDR') {
      if (header !== undefined || length !== 13) return 'damaged';
      header = body;
    } else if (type === 'IDAT') parts.push(body);
    else if (type === 'IEND') break;
    else hasMore = true;
    at += 12 + length;
  }
  if (header === undefined) return 'damaged';
  const [width, height] = [header.readUInt32BE(0), header.readUInt32BE(4)];
  const samples = { 0: 1, 2: 3 }[header[9] ?? 9];
  if (hasMore || samples === undefined || header[8] !== 8 || header[12] !== 0) return 'unknown';
  const line = width * samples;
  let data: Buffer;
  try {
    data = inflateSync(Buffer.concat(parts), { maxOutputLength: 2 ** 24 });
  } catch {
    return 'damaged';
  }
  if (data.length < height * (line + 1)) return 'damaged';
  const pixels = new Uint8Array(height * line);
  for (let row = 0; row < height; row += 1) {
    const filter = data[row * (line + 1)] ?? 0;
    if (filter > 4) return 'damaged';
    for (let at = 0; at < line; at += 1) {
      const left = at < samples ? 0 : (pixels[row * line + at - samples] ?? 0);
      const up = row === 0 ? 0 : (pixels[(row - 1) * line + at] ?? 0);
      const corner = row === 0 || at < samples ? 0 : (pixels[(row - 1) * line + at - samples] ?? 0);
      const guess = [0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter] ?? 0;
      pixels[row * line + at] = (data[row * (line + 1) + 1 + at] ?? 0) + guess;
    }
  }
  return { width, height, data: pixels };
}

function paeth(left: number, up: number, corner: number): number {
  const [a, b, c] = [left, up, corner].map((one) => Math.abs(left + up - corner - one)) as [number, number, number];
  return a <= b && a <= c ? left : b <= c ? up : corner;
}
