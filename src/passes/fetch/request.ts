// What is fetched at once. In: the session's call. Out: names, as plain data.

export interface FetchRequest {
  /** Of the entry that is made. */
  readonly name: string;
  readonly fetches: readonly string[];
  readonly fed: readonly string[];
  /**
   * Values: a tuple with an item per fetch. Summaries: those of all entries that are fetched whole, as a tuple whose outputs are called
   * `scalar NAME` and `histogram NAME`; nothing is updated then, and every feed stays one.
   */
  readonly give: 'values' | 'summaries';
}
