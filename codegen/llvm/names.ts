// Names and what they mean, with scopes that cost nothing until they differ. In: bindings. Out: look-ups. Holds: what is set after a fork is not seen by the other side of it.

export class Names<T> {
  #map: Map<string, T>;
  /** Whether nobody else has the map. */
  #own: boolean;

  private constructor(map: Map<string, T>, own: boolean) {
    this.#map = map;
    this.#own = own;
  }

  static none<T>(): Names<T> {
    return new Names<T>(new Map(), true);
  }

  fork(): Names<T> {
    this.#own = false;
    return new Names(this.#map, false);
  }

  get(name: string): T | undefined {
    return this.#map.get(name);
  }

  has(name: string): boolean {
    return this.#map.has(name);
  }

  set(name: string, value: T): void {
    if (!this.#own) {
      this.#map = new Map(this.#map);
      this.#own = true;
    }
    this.#map.set(name, value);
  }

  get size(): number {
    return this.#map.size;
  }

  keys(): Iterable<string> {
    return this.#map.keys();
  }

  values(): Iterable<T> {
    return this.#map.values();
  }
}
