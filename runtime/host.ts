// A session as its entries see it. In: nothing. Out: what they work with, and whether it may be used now. Holds: whoever does not wait for
// his turn asks here first.
import { TfcError } from './error.js';
import type { Handle, Native } from './native.js';
import type { Turns } from './turns.js';
import type { Variables } from './variables.js';

/** What an entry needs of the session that it is bound to. */
export interface Host {
  readonly native: Native;
  readonly handle: Handle<'session'>;
  readonly variables: Variables;
  readonly closed: boolean;
  /** Whether a step runs on another thread. */
  busy: boolean;
  readonly turns: Turns;
}

/** Every call but those that wait for their turn. @throws TfcError session-closed, session-busy. */
export function requireIdle<Some extends Host>(host: Some): Some {
  if (host.closed) throw closed();
  if (!host.busy) return host;
  throw new TfcError('session-busy', 'The session is running a step on another thread.', {
    hint: 'Await what runs, or put the call behind it: await session.whenIdle(() => …).',
  });
}

export const closed = (): TfcError => new TfcError('session-closed', 'The session is closed.');
