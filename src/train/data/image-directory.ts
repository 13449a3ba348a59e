// Directories of images. In: a path, feeds. Out: rows of pixels, and labels where there is a folder per class. Holds: the names of the
// folders, sorted, are the vocabulary; files are sorted by path, so rows have one order on every machine; small sets are decoded at once
// and are then in memory, of larger ones each image when a batch has it.

import { type Dirent, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type TensorSpec, type TypedArray, zeros } from '../../../runtime/index.js';
import { elements } from '../../../runtime/element.js';
import { notRead } from '../../input/files.js';
import { badData } from '../../input/json.js';
import { takesWhole, isSingle } from './bind.js';
import { type DatasetOptions, vocabularyFor } from './dataset-options.js';
import { type Dataset, inMemory } from './dataset.js';
import { toElements } from './elements.js';
import { requireRowShape } from './feed-shape.js';
import { isImageName, readImage } from './image.js';
import { layoutOf, writeImage } from './image-rows.js';
import { positioned } from './positioned.js';
import { columnStore, type RowStore } from './row-store.js';
import { type Column, countOf } from './table.js';
import { codesOf, unknownWord, type Vocabulary, vocabularyOf } from './vocabulary.js';

interface Files {
  readonly paths: readonly string[];
  /** The folder of each; empty where images lie in the directory itself. */
  readonly folders: readonly string[];
}

/** Whether a directory has images, or folders with images. */
export function hasImages(path: string): boolean {
  return list(path).some((entry) =>
    entry.isDirectory() ? list(join(path, entry.name)).some(({ name }) => isImageName(name)) : isImageName(entry.name),
  );
}

/** Errors: file-not-found, bad-data, shape-mismatch, dtype-mismatch, with the file. */
export function imageDirectory(path: string, feeds: readonly TensorSpec[], options: DatasetOptions, memory: number): Dataset {
  const files = filesIn(path);
  const { pictures, labels } = feedsOf(path, feeds, files.folders.length > 0);
  const first = files.paths[0] as string;
  const layout = layoutOf(first, pictures, readImage(first));
  const length = countOf(layout.rowShape);
  const images: RowStore = {
    name: pictures.name,
    dtype: pictures.dtype,
    rowShape: layout.rowShape,
    rows: files.paths.length,
    read: (positions, into) => {
      for (const [row, position] of positions.entries()) {
        const file = files.paths[position] as string;
        writeImage(file, readImage(file), layout, pictures.dtype, into, row * length);
      }
    },
  };
  const vocabulary = labels === undefined ? undefined : vocabularyIn(files, labels, options);
  const classes = labels === undefined || vocabulary === undefined ? undefined : labelColumn(path, files, labels, vocabulary);
  const extras = labels === undefined || vocabulary === undefined ? {} : { vocabularies: { [labels.name]: vocabulary } };
  const inOrderOfFeeds = <T>(one: T, two: T | undefined): T[] =>
    feeds.flatMap((feed) => (feed === pictures ? [one] : two === undefined ? [] : [two]));
  if (files.paths.length * length * elements[pictures.dtype].bytes > memory)
    return positioned(inOrderOfFeeds(images, classes === undefined ? undefined : columnStore(classes)), path, extras);
  const data: TypedArray = zeros([files.paths.length, ...layout.rowShape], pictures.dtype).data;
  images.read(Uint32Array.from(files.paths.keys()), data);
  const column: Column = { name: pictures.name, data, rows: files.paths.length, rowShape: layout.rowShape, dtype: pictures.dtype };
  return inMemory(inOrderOfFeeds(column, classes), path, extras);
}

function filesIn(path: string): Files {
  const entries = list(path);
  const own = entries.filter((entry) => !entry.isDirectory() && isImageName(entry.name));
  const folders = entries.filter((entry) => entry.isDirectory());
  if (own.length > 0) return { paths: own.map(({ name }) => join(path, name)), folders: [] };
  const found = folders.flatMap(({ name: folder }) =>
    list(join(path, folder))
      .filter((entry) => !entry.isDirectory() && isImageName(entry.name))
      .map(({ name }) => ({ folder, path: join(path, folder, name) })),
  );
  if (found.length === 0) throw badData(`${path}: no PNG or JPEG images`, 'Images lie in the directory, or in a folder per class.');
  return { paths: found.map((one) => one.path), folders: found.map((one) => one.folder) };
}

function list(path: string): Dirent[] {
  try {
    return readdirSync(path, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (error) {
    throw notRead(path, error);
  }
}

/** The label is the one whole number per row. */
function feedsOf(
  path: string,
  feeds: readonly TensorSpec[],
  hasFolders: boolean,
): { readonly pictures: TensorSpec; readonly labels: TensorSpec | undefined } {
  const labels = feeds.find((feed) => takesWhole(feed) && isSingle(feed));
  const [pictures, ...others] = feeds.filter((feed) => feed !== labels);
  if (pictures === undefined || others.length > 0)
    throw badData(
      `${path}: images do not say which feed they are (${feeds.map(({ name }) => name).join(', ')})`,
      'Take one argument for the images, and one of i32 for the labels: x: f32[B, 28, 28], y: i32[B].',
    );
  if (labels !== undefined && !hasFolders)
    throw badData(
      `${path}: the images lie in no folders, and ${labels.name} takes labels`,
      'Put the images of each class into a folder of its own.',
    );
  return { pictures, labels };
}

function vocabularyIn({ folders }: Files, labels: TensorSpec, options: DatasetOptions): Vocabulary {
  const told = vocabularyFor(options, labels.name);
  return told === undefined || told === true ? vocabularyOf(folders) : told;
}

function labelColumn(path: string, { folders, paths }: Files, labels: TensorSpec, vocabulary: Vocabulary): Column {
  const codes = codesOf(vocabulary);
  const numbers = Int32Array.from(
    folders,
    (folder, row) => codes.get(folder) ?? unknownWord(paths[row] as string, labels.name, folder, vocabulary),
  );
  const rowShape = labels.shape.slice(1).map(() => 1);
  requireRowShape(path, labels, rowShape);
  return { name: labels.name, data: toElements(numbers, labels, path), rows: numbers.length, rowShape, dtype: labels.dtype };
}
