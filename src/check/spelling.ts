// Did you mean …? In: a name that nobody knows and the names that exist. Out: the nearest one, if it is near.
// Distance: Damerau–Levenshtein restricted to adjacent transpositions (optimal string alignment), ignoring case.

/** The number of letters to insert, delete, replace or swap with a neighbour. */
export function editDistance(a: string, b: string): number {
  const rows: number[][] = [];
  for (let i = 0; i <= a.length; i++) {
    const row: number[] = [];
    for (let j = 0; j <= b.length; j++) {
      if (i === 0 || j === 0) {
        row.push(i + j);
        continue;
      }
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let best = Math.min((rows[i - 1]?.[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (rows[i - 1]?.[j - 1] ?? 0) + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) best = Math.min(best, (rows[i - 2]?.[j - 2] ?? 0) + 1);
      row.push(best);
    }
    rows.push(row);
  }
  return rows[a.length]?.[b.length] ?? 0;
}

/** Nobody mistypes longer names, and comparing them takes the square of their length. */
const longest = 100;
/** In a program of more names, only the nearest scopes are looked through. */
const mostCompared = 1_000;

/** The candidate that is nearest to `name`; undefined when none is within a third of its length (at least one letter). */
export function nearest(name: string, candidates: Iterable<string>): string | undefined {
  if (name.length > longest) return undefined;
  const limit = Math.max(1, Math.floor(name.length / 3));
  let best: string | undefined;
  let distance = limit + 1;
  let compared = 0;
  for (const candidate of candidates) {
    if (++compared > mostCompared) break;
    if (Math.abs(candidate.length - name.length) > limit || candidate === name) continue;
    const d = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (d < distance) {
      best = candidate;
      distance = d;
    }
  }
  return best;
}

/** `did you mean `relu`?`, or undefined. */
export function suggestion(name: string, candidates: Iterable<string>): string | undefined {
  const found = nearest(name, candidates);
  return found === undefined ? undefined : `did you mean \`${found}\`?`;
}
