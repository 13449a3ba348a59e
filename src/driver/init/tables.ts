// Made-up data for new projects. In: nothing. Out: tables as CSV. Holds: always the same text.

const rows = 500;

/** Points of two half circles that reach into each other, with noise: columns x1, x2 and y, 0 for the upper moon and 1 for the lower. */
export function moonsTable(): string {
  const { uniform, normal } = numbers(1);
  return table('x1,x2,y', () => {
    const lower = uniform() < 0.5;
    const angle = Math.PI * uniform();
    const x = (lower ? 1 - Math.cos(angle) : Math.cos(angle)) + 0.15 * normal();
    const y = (lower ? 0.5 - Math.sin(angle) : Math.sin(angle)) + 0.15 * normal();
    return [x.toFixed(4), y.toFixed(4), lower ? '1' : '0'];
  });
}

/** Flats by floor area in units of 100 m², rooms, and age in units of 100 years; the rent in units of 1000 grows less with large ones. */
export function rentsTable(): string {
  const { uniform, normal } = numbers(2);
  return table('area,rooms,age,rent', () => {
    const area = 0.2 + 1.3 * uniform();
    const rooms = Math.max(1, Math.round(area * 3 + normal() * 0.5));
    const age = uniform();
    const rent = 0.3 + Math.sqrt(area) + 0.05 * rooms - 0.3 * age + 0.05 * normal();
    return [area.toFixed(3), String(rooms), age.toFixed(2), rent.toFixed(3)];
  });
}

const table = (head: string, row: () => readonly string[]): string =>
  `${[head, ...Array.from({ length: rows }, () => row().join(','))].join('\n')}\n`;

/** Uniform in [0, 1) by a linear congruential generator (Knuth, The art of computer programming 2, 3.3.4, line 26), normal by Box and Muller. */
function numbers(seed: number): { uniform(): number; normal(): number } {
  let state = BigInt(seed);
  const uniform = (): number => {
    state = BigInt.asUintN(64, state * 6364136223846793005n + 1442695040888963407n);
    return Number(state >> 11n) / 2 ** 53;
  };
  return { uniform, normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()) };
}
