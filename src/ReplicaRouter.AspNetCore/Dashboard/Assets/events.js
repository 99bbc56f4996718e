import { byId, h, icon } from './dom.js';
import { time } from './format.js';

const most = 200;
const list = byId('events').querySelector('ol');

let lastId = 0;

/** Shows all events; if process and hosts are the same as before, adds only the new ones. */
export function reset(events, isSame) {
  if (isSame) {
    add(events.filter(event => event.id > lastId));
    return;
  }

  list.replaceChildren();
  if (events.length === 0) list.append(h('li', { class: 'none' }, 'Nothing has happened yet.'));
  else add(events);
}

/** Adds events, newest at the top. */
export function add(events) {
  if (events.length === 0) return;
  list.querySelector('.none')?.remove();
  lastId = events.at(-1).id;
  for (const event of events) list.prepend(item(event));
  while (list.children.length > most) list.lastChild.remove();
}

function item(event) {
  const tone = event.severity.toLowerCase();
  const words = event.host ? [h('b', {}, event.host), ` ${event.text}`] : [event.text];
  return h('li', { class: tone, 'data-kind': event.kind },
    h('time', { datetime: new Date(event.at).toISOString() }, time(event.at)),
    icon(tone),
    h('span', {}, h('span', { class: 'sr' }, `${event.kind}: `), ...words),
    event.reason ? h('span', { class: 'reason' }, event.reason) : null,
    event.error ? h('span', { class: 'reason' }, event.error) : null);
}
