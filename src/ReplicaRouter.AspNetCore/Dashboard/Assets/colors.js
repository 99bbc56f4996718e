// A host and the operation that it serves by default share a colour.
const fixed = { primary: 0, write: 0, analytics: 1, background: 2, dr: 3, read: 4, transactional: 5 };
const free = [6, 7, 4, 5, 3, 1, 2];
const given = new Map();

function slot(name) {
  if (name in fixed) return fixed[name];
  if (!given.has(name)) given.set(name, free[given.size % free.length]);
  return given.get(name);
}

/** Returns the colour's CSS property. */
export const property = name => `--c${slot(name)}`;

/** Returns the colour in the current scheme, light or dark. */
export const resolve = name => css(property(name));

export const css = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
