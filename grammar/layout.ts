// Text in lines of bounded width. In: a document of texts and places where a line may break. Out: the text.
// Holds: a group is set on one line if it fits, else all its own breaks become new lines; nothing recurses while setting.
// The method is that of P. Wadler, "A prettier printer" (2003), in its strict form by C. Lindig (2000).

/** A piece of text, or a tree of them. `forced` says that somewhere in it a line must end. */
export type Layout =
  | string
  | { readonly kind: 'join'; readonly parts: readonly Layout[]; readonly forced: boolean }
  | { readonly kind: 'indent'; readonly inner: Layout; readonly forced: boolean }
  | { readonly kind: 'group'; readonly inner: Layout; readonly forced: boolean }
  | { readonly kind: 'hang'; readonly inner: Layout; readonly forced: boolean }
  | { readonly kind: 'line'; readonly flat: string; readonly forced: boolean }
  | { readonly kind: 'broken'; readonly text: string; readonly forced: false };

/** A space, or a new line in a group that does not fit. */
export const line: Layout = { kind: 'line', flat: ' ', forced: false };
/** Nothing, or a new line in a group that does not fit. */
export const softLine: Layout = { kind: 'line', flat: '', forced: false };
/** A new line in any case. */
export const hardLine: Layout = { kind: 'line', flat: '', forced: true };

export function isForced(layout: Layout): boolean {
  return typeof layout !== 'string' && layout.forced;
}

export function join(...parts: readonly Layout[]): Layout {
  return { kind: 'join', parts, forced: parts.some(isForced) };
}

export function indent(...parts: readonly Layout[]): Layout {
  const inner = join(...parts);
  return { kind: 'indent', inner, forced: isForced(inner) };
}

export function group(...parts: readonly Layout[]): Layout {
  const inner = join(...parts);
  return { kind: 'group', inner, forced: isForced(inner) };
}

/** After a space if it fits on the line; else on a line of its own, one step deeper, if it fits there; else after a space and broken. */
export function hang(inner: Layout): Layout {
  return { kind: 'hang', inner, forced: isForced(inner) };
}

/** `text` in a group that does not fit, else nothing. */
export function whenBroken(text: string): Layout {
  return { kind: 'broken', text, forced: false };
}

export function separated(parts: readonly Layout[], separator: Layout): Layout {
  return join(...parts.flatMap((part, i) => (i === 0 ? [part] : [separator, part])));
}

/** The first text in `layout`; empty if there is none. */
export function firstText(layout: Layout): string {
  const waiting: Layout[] = [layout];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (typeof next === 'string') {
      if (next !== '') return next;
    } else if (next.kind === 'join') waiting.push(...[...next.parts].reverse());
    else if (next.kind === 'indent' || next.kind === 'group' || next.kind === 'hang') waiting.push(next.inner);
  }
  return '';
}

interface Task {
  readonly layout: Layout;
  readonly indent: number;
  readonly flat: boolean;
}

/** The text of `layout`, in lines of `width` columns where that can be had, without spaces at the ends of lines. */
export function render(layout: Layout, width: number): string {
  const out: string[] = [];
  const tasks: Task[] = [{ layout, indent: 0, flat: false }];
  let column = 0;
  for (let task = tasks.pop(); task !== undefined; task = tasks.pop()) {
    const { layout: next, indent: depth, flat } = task;
    if (typeof next === 'string') {
      out.push(next);
      const end = next.lastIndexOf('\n');
      column = end < 0 ? column + next.length : next.length - end - 1;
      continue;
    }
    switch (next.kind) {
      case 'join':
        for (let i = next.parts.length - 1; i >= 0; i--) tasks.push({ layout: next.parts[i] ?? '', indent: depth, flat });
        break;
      case 'indent':
        tasks.push({ layout: next.inner, indent: depth + 2, flat });
        break;
      case 'group': {
        const fitting = flat || (!next.forced && fits(next.inner, width - column, tasks));
        tasks.push({ layout: next.inner, indent: depth, flat: fitting });
        break;
      }
      case 'hang': {
        const { inner, forced } = next;
        const here = flat || (!forced && fits(inner, width - column - 1, tasks));
        const below = !here && !forced && fits(inner, width - depth - 2, tasks);
        tasks.push({ layout: inner, indent: depth, flat: here || below });
        tasks.push({ layout: below ? indent(hardLine) : ' ', indent: depth, flat: false });
        break;
      }
      case 'broken':
        if (!flat) {
          out.push(next.text);
          column += next.text.length;
        }
        break;
      case 'line':
        if (flat) {
          out.push(next.flat);
          column += next.flat.length;
        } else {
          out.push(`\n${' '.repeat(depth)}`);
          column = depth;
        }
    }
  }
  return out.join('').replace(/[ \t]+$/gm, '');
}

/** Whether `layout` on one line, with what follows it up to the next possible break, takes at most `room` columns. */
function fits(layout: Layout, room: number, after: readonly Task[]): boolean {
  const waiting: { readonly layout: Layout; readonly flat: boolean }[] = [{ layout, flat: true }];
  let left = room;
  let rest = after.length;
  while (left >= 0) {
    let next = waiting.pop();
    if (next === undefined) {
      next = after[--rest];
      if (next === undefined) return true;
    }
    const { layout: part, flat } = next;
    if (typeof part === 'string') {
      const end = part.indexOf('\n');
      if (end >= 0) return left >= end;
      left -= part.length;
    } else if (part.kind === 'join') {
      for (let i = part.parts.length - 1; i >= 0; i--) waiting.push({ layout: part.parts[i] ?? '', flat });
    } else if (part.kind === 'line') {
      if (!flat) return true;
      left -= part.flat.length;
    } else if (part.kind === 'broken') {
      if (!flat) left -= part.text.length;
    } else {
      if (part.kind === 'hang') left--;
      waiting.push({ layout: part.inner, flat: part.kind === 'group' ? flat && !part.forced : flat });
    }
  }
  return false;
}
