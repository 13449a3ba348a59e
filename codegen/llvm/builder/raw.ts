// The keys under which handles keep the addon's objects. Holds: this folder's index does not export them, so no one else
// reaches what they lead to.

export const raw: unique symbol = Symbol('raw');
export const rawFunction: unique symbol = Symbol('rawFunction');
/** The number by which a module's tape knows a value, type, block or scope. */
export const ref: unique symbol = Symbol('ref');
