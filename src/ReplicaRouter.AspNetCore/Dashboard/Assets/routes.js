// Durations of commands by route, and the latest failures.
import { byId, classes, h, text } from './dom.js';
import { property } from './colors.js';
import { count, duration, none, rate, time } from './format.js';

const columns = ['commands/s', 'p50', 'p95', 'p99', 'failed'];
const failures = byId('failures');
let rows = [];

export function reset({ routes }) {
  rows = routes.map(() => columns.map(() => h('td', {}, none)));
  byId('routes').replaceChildren(h('table', {},
    h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, 'Route'), ...columns.map(column => h('th', { scope: 'col' }, column)))),
    h('tbody', {}, ...routes.map((route, index) => h('tr', {}, h('th', { scope: 'row' }, swatch(route), route), ...rows[index])))));
}

export function render(status, rates) {
  status.routes.forEach((route, index) => {
    const commands = rates.reduce((sum, host) => sum + host[index], 0);
    const values = [commands > 0 ? rate(commands) : none, ...[route.p50Ms, route.p95Ms, route.p99Ms].map(duration), route.failed > 0 ? count(route.failed) : none];
    values.forEach((value, column) => {
      text(rows[index][column], value);
      classes(rows[index][column], value === none ? 'nothing' : column === 4 ? 'raised' : '');
    });
  });
  renderFailures(status.failures);
}

function renderFailures(all) {
  while (failures.children.length > Math.max(all.length, 1)) failures.lastChild.remove();
  if (all.length === 0) {
    failures.replaceChildren(h('li', { class: 'none' }, 'No operation has failed.'));
    return;
  }

  failures.querySelector('.none')?.remove();
  all.forEach((failure, index) => {
    if (!failures.children[index]) failures.append(h('li', {}, h('time'), h('span', { class: 'what' }), h('span', { class: 'times' }), h('span', { class: 'reason' })));
    const [when, what, times, reason] = failures.children[index].children;
    text(when, time(failure.at));
    when.setAttribute('datetime', new Date(failure.at).toISOString());
    text(what, `${failure.route}${failure.host ? ` on ${failure.host}` : ''}: ${failure.what}`);
    text(times, failure.count > 1 ? `× ${count(failure.count)}` : '');
    text(reason, failure.text ?? '');
    reason.hidden = !failure.text;
  });
}

function swatch(name) {
  const element = h('span', { class: 'swatch', 'aria-hidden': 'true' });
  element.style.setProperty('--series', `var(${property(name)})`);
  return element;
}
