// Elements are created once and changed in place, to keep focus, selection and screen readers' positions.

/** Creates an element with attributes and children: h('p', { class: 'a' }, 'text', other). */
export function h(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith('on')) element.addEventListener(key.slice(2), value);
    else if (value !== null && value !== false) element.setAttribute(key, value === true ? '' : value);
  }
  element.append(...children.filter(child => child !== null && child !== undefined));
  return element;
}

/** Sets a text only if it differs. */
export function text(element, value) {
  if (element.textContent !== value) element.textContent = value;
}

/** Sets the classes only if they differ. */
export function classes(element, value) {
  if (element.className !== value) element.className = value;
}

export function icon(name) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  const use = document.createElementNS('http://www.w3.org/2000/svg', 'use');
  svg.setAttribute('class', `icon ${name}`);
  svg.setAttribute('aria-hidden', 'true');
  use.setAttribute('href', `#icon-${name}`);
  svg.append(use);
  return svg;
}

export function setIcon(svg, name) {
  const href = `#icon-${name}`;
  if (svg.firstChild.getAttribute('href') === href) return;
  svg.firstChild.setAttribute('href', href);
  svg.setAttribute('class', `icon ${name}`);
}

/** Puts children into this order. Moves only those out of place, and keeps the focus. */
export function arrange(parent, children) {
  const focused = document.activeElement;
  children.forEach((child, index) => {
    if (parent.children[index] !== child) parent.insertBefore(child, parent.children[index] ?? null);
  });
  while (parent.children.length > children.length) parent.lastChild.remove();
  if (focused !== document.activeElement && focused?.isConnected) focused.focus({ preventScroll: true });
}

export const byId = id => document.getElementById(id);
