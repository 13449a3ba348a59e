// Made-up visits to a hospital. In: how many years, a seed. Out: a table of days and visits, in hundreds. Holds: the same seed gives the
// same visits.

import { random } from '../random.js';

/** Of the noise around the season's mean. */
export const noise = 0.15;

/** What is expected on a day of the year, from 0 on, in hundreds: much in winter, a second wave in spring, little in August. */
export function expectedVisits(day: number): number {
  const season = Math.cos((2 * Math.PI * (day - 20)) / 365);
  const wave = Math.exp(-(((day - 110) / 45) ** 2));
  return 2 + 0.8 * season + 0.4 * wave;
}

export interface Visits {
  readonly day: Float32Array;
  readonly visits: Float32Array;
}

/** A row per day. */
export function madeUpVisits(years: number, seed: number): Visits {
  const source = random(seed);
  const day = Float32Array.from({ length: 365 * years }, (_, row) => row % 365);
  return { day, visits: day.map((one) => expectedVisits(one) + noise * source.normal()) };
}
