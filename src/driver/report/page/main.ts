// The script of the page that `tfc graph -o out.html` writes. In: the page's data. Out: the folded graph of an entry, drawn anew whenever a
// box is opened or folded; a list of what a search finds; what is known of the node or box that was clicked.
// Holds: texts from programs reach the page as text alone, never as markup but for the drawing, which Graphviz escapes; nothing is loaded.

import { Graphviz } from '@hpcc-js/wasm-graphviz';
import { printable } from '../../../base/printable.js';
import { type Box, type Boxes, boxesOf, outwards, within } from '../graph-boxes.js';
import { toDot } from '../graph-dot.js';
import { fold, openTo, openToInstances, paramsOf, shapesOf, titleOf } from '../graph-fold.js';
import type { PageData } from '../graph-page.js';
import { search } from '../graph-search.js';
import { Zoom } from './zoom.js';

/** More nodes than these are not laid out: it would take minutes. */
const drawable = 1000;
const foundAtMost = 50;
const help = 'A click on a box opens it, a click on its title folds it. Dragging moves the drawing; Ctrl and the wheel change its size.';

const element = <E extends Element>(id: string, kind: new () => E): E => {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`the page has no #${id}`);
  return found;
};

function make<K extends keyof HTMLElementTagNameMap>(tag: K, text: string, onClick?: () => void): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  made.textContent = printable(text);
  if (onClick !== undefined) made.addEventListener('click', onClick);
  return made;
}

class Page {
  readonly #data: PageData;
  readonly #graphviz: Graphviz;
  readonly #drawing = element('drawing', HTMLElement);
  readonly #details = element('details', HTMLElement);
  readonly #found = element('found', HTMLElement);
  readonly #search = element('search', HTMLInputElement);
  readonly #zoom: Zoom;
  #boxes: Boxes;
  #open = new Set<Box>();
  #selected: string | undefined;

  constructor(data: PageData, graphviz: Graphviz) {
    this.#data = data;
    this.#graphviz = graphviz;
    this.#boxes = this.#enter(0);
    // It takes what is no click away from the listeners below.
    this.#zoom = new Zoom(this.#drawing, {
      smaller: element('smaller', HTMLButtonElement),
      larger: element('larger', HTMLButtonElement),
      fit: element('fit', HTMLButtonElement),
    });
    const entries = element('entry', HTMLSelectElement);
    for (const [at, view] of data.entries.entries()) entries.append(new Option(printable(view.entry), String(at)));
    entries.addEventListener('change', () => {
      this.#boxes = this.#enter(Number(entries.value));
      this.#draw();
    });
    element('fold', HTMLButtonElement).addEventListener('click', () => this.#set(new Set()));
    element('more', HTMLButtonElement).addEventListener('click', () => this.#openMore());
    this.#search.addEventListener('input', () => this.#listFound());
    this.#drawing.addEventListener('click', ({ target }) => {
      if (target instanceof Element) this.#click(target);
    });
    this.#drawing.addEventListener('keydown', (event) => {
      if ((event.key !== 'Enter' && event.key !== ' ') || !(event.target instanceof Element)) return;
      event.preventDefault();
      this.#click(event.target);
    });
    this.#draw();
  }

  #enter(at: number): Boxes {
    const view = this.#data.entries[at];
    if (view === undefined) throw new Error('the page has no such entry');
    const boxes = boxesOf(view);
    const { depth } = this.#data;
    this.#open = new Set(within(boxes.root).filter(depth === undefined ? openToInstances : openTo(depth)));
    this.#selected = undefined;
    return boxes;
  }

  #boxNamed(id: string): Box | undefined {
    return within(this.#boxes.root).find((box) => box.id === id);
  }

  #click(target: Element): void {
    const shape = target.closest('g[id^="e0_"]');
    const id = shape?.id.slice('e0_'.length);
    if (shape === null || id === undefined) return;
    const box = this.#boxNamed(id);
    this.#selected = id;
    if (box !== undefined && !this.#open.has(box)) this.#set(new Set([...this.#open, box]));
    else if (box !== undefined && (target instanceof SVGTextElement || target === shape))
      this.#set(new Set([...this.#open].filter((one) => one !== box)));
    else this.#mark();
  }

  #openMore(): void {
    const { root } = this.#boxes;
    const closed = within(root).filter((box) => box !== root && !this.#open.has(box));
    this.#set(new Set([...this.#open, ...closed.filter((box) => box.parent === root || (box.parent && this.#open.has(box.parent)))]));
  }

  /** Opens these boxes and no others, if that can be drawn. */
  #set(open: Set<Box>): void {
    const before = this.#open;
    this.#open = open;
    if (!this.#draw()) this.#open = before;
  }

  /** What was selected stays where it is on the screen. False: there is too much to draw. */
  #draw(): boolean {
    const { root } = this.#boxes;
    const isSeen = (box: Box): boolean => outwards(box).every((one) => one === root || this.#open.has(one));
    const nodes = within(root).reduce((sum, box) => sum + (isSeen(box) ? box.nodes.length : 0), 0);
    if (nodes > drawable) {
      this.#details.replaceChildren(
        make('p', `That would draw ${nodes} nodes at once; at most ${drawable} are drawn. Fold other boxes first.`),
      );
      return false;
    }
    const place = this.#shape()?.getBoundingClientRect();
    const dot = toDot([fold(this.#boxes, (box) => this.#open.has(box))]);
    const { documentElement } = new DOMParser().parseFromString(this.#graphviz.dot(dot), 'image/svg+xml');
    this.#drawing.replaceChildren(document.importNode(documentElement, true));
    this.#zoom.apply();
    for (const shape of this.#drawing.querySelectorAll('g.closed, g.open')) {
      shape.setAttribute('tabindex', '0');
      shape.setAttribute('role', 'button');
      shape.setAttribute('aria-expanded', String(shape.classList.contains('open')));
    }
    const now = this.#shape()?.getBoundingClientRect();
    if (place !== undefined && now !== undefined) this.#drawing.scrollBy(now.left - place.left, now.top - place.top);
    this.#mark();
    return true;
  }

  #shape(): Element | undefined {
    return this.#selected === undefined ? undefined : (document.getElementById(`e0_${this.#selected}`) ?? undefined);
  }

  #mark(): void {
    for (const shape of this.#drawing.querySelectorAll('.selected')) shape.classList.remove('selected');
    this.#shape()?.classList.add('selected');
    const { nodes } = this.#boxes;
    const id = this.#selected;
    if (id === undefined) return this.#details.replaceChildren(make('p', help));
    const box = this.#boxNamed(id);
    this.#details.replaceChildren(...(box !== undefined ? this.#boxFacts(box) : nodes.has(id) ? this.#nodeFacts(id) : []));
  }

  #facts(title: string, place: string | undefined, facts: readonly (readonly [name: string, values: readonly string[]])[]): HTMLElement[] {
    const list = document.createElement('dl');
    for (const [name, values] of facts) if (values.length > 0) list.append(make('dt', name), ...values.map((value) => make('dd', value)));
    const line = place === undefined ? undefined : this.#data.lines[place];
    if (place !== undefined) list.append(make('dt', 'source'), make('dd', place));
    return [make('h2', title), list, ...(line === undefined ? [] : [make('pre', line)])];
  }

  #boxFacts(box: Box): HTMLElement[] {
    const { inputs, outputs } = shapesOf(box, this.#boxes);
    return this.#facts(titleOf(box), box.scope?.place, [
      ['kind', [box.scope?.kind ?? 'entry']],
      ['reads', inputs],
      ['gives', outputs],
      ['params and states', paramsOf(box, this.#boxes)],
      ['stands for', box.series.length > 1 ? box.series.map(({ path }) => path) : []],
    ]);
  }

  #nodeFacts(id: string): HTMLElement[] {
    const { nodes, args, readers } = this.#boxes;
    const node = nodes.get(id);
    if (node === undefined) return [];
    const named = (ids: readonly string[] = []): string[] =>
      ids.map((one) => nodes.get(one)).flatMap((one) => (one === undefined ? [] : [`${one.name ?? one.op}: ${one.type}`]));
    return this.#facts(node.name ?? node.op, node.place, [
      ['op', [node.op]],
      ['type', [node.type]],
      ['scope', node.scope === '' ? [] : [node.scope]],
      ['reads', named(args.get(id))],
      ['is read by', named(readers.get(id))],
    ]);
  }

  #listFound(): void {
    const items = search(this.#boxes, this.#search.value, foundAtMost).map(({ id, label, box }) => {
      const item = document.createElement('li');
      item.append(make('button', label, () => this.#show(id, box)));
      return item;
    });
    this.#found.replaceChildren(...items);
  }

  #show(id: string, box: Box): void {
    this.#selected = id;
    this.#set(new Set([...this.#open, ...outwards(box).filter((one) => one.parent !== undefined)]));
    this.#shape()?.scrollIntoView({ block: 'center', inline: 'center' });
  }
}

const data = JSON.parse(element('graph', HTMLScriptElement).textContent) as PageData;
if (data.entries.length > 0) void Graphviz.load().then((graphviz) => new Page(data, graphviz));
