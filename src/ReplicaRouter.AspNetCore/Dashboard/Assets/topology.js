import { arrange, byId, classes, h, icon, setIcon, text } from './dom.js';
import { bytes, count, duration, rate } from './format.js';
import { property } from './colors.js';
import { flowOf, meaningOf, roleOf, stateOf } from './states.js';
import { acceptButton, isOperator, orderButton, showPrimary } from './operator.js';

const root = byId('topology');
const writers = h('div', { class: 'writers' });
const readers = h('div', { class: 'readers' });
const vacancy = h('span');
const vacant = h('p', { class: 'vacant' }, vacancy, h('small', {}, 'Writes wait, then fail. Reads continue while a replica serves.'));
let cards = new Map();

export function reset(welcome) {
  cards = new Map(welcome.hosts.map(name => [name, new Card(name, welcome.routes)]));
  root.replaceChildren(writers, readers);
  writers.replaceChildren();
  readers.replaceChildren();
}

export function render(status, rates) {
  const isWriter = host => host.name === status.primary || host.state === 'SplitBrain';
  status.hosts.forEach((host, index) => cards.get(host.name).render(host, rates[index], status));
  const left = status.hosts.filter(isWriter).map(host => cards.get(host.name).element);
  text(vacancy, status.timeline === 0 ? 'No primary seen yet' : 'No primary');
  classes(vacant, status.timeline === 0 ? 'vacant early' : 'vacant');
  arrange(writers, left.length > 0 ? left : [vacant]);
  showPrimary(status.primary !== null);
  arrange(readers, status.hosts.filter(host => !isWriter(host)).map(host => cards.get(host.name).row));
}

const measures = [
  ['lag', 'Lag', 'Age of the newest primary position that the replica has replayed'], ['behind', 'Behind', 'WAL that the replica has yet to replay'],
  ['probe', 'Probe', 'Duration of the last probe'], ['p95', 'p95', '95th percentile of command durations over the last minute'],
  ['connections', 'Connections', 'Open connections of this process, of the most that the server accepts from all clients'], ['rate', 'Commands/s', 'Commands a second from this process'],
  ['timeline', 'Timeline', 'Number of the history that the server follows; each promotion starts a new one'],
];

/** One host: in the primary's position, or in a row with its line from the primary. */
class Card {
  constructor(name, routes) {
    this.icon = icon('info');
    this.role = h('span', { class: 'role' });
    this.state = h('a', { class: 'state', href: 'guide', target: '_blank' });
    this.meaning = h('p', { class: 'meaning', hidden: true });
    this.error = h('p', { class: 'error', hidden: true });
    this.order = isOperator ? orderButton(name) : null;
    this.accept = isOperator ? acceptButton(name) : null;
    this.measures = Object.fromEntries(measures.map(([key, label, title]) => [key, new Measure(label, title)]));
    this.mix = routes.map(route => { const part = h('i'); part.style.background = `var(${property(route)})`; return part; });
    this.element = h('article', { class: 'host', 'data-host': name, 'aria-label': name },
      h('div', { class: 'top' }, this.icon, h('h3', {}, name), this.role, h('span', { class: 'standing' }, this.state, this.accept?.element, this.order?.element)),
      h('dl', { class: 'measures' }, ...Object.values(this.measures).map(measure => measure.element)),
      h('div', { class: 'mix', 'aria-hidden': 'true' }, ...this.mix),
      this.meaning,
      this.error);
    this.link = h('div', { class: 'link', 'aria-hidden': 'true' });
    this.wrapper = h('div', { class: 'reader' }, this.link);
  }

  /** The card as a replica's row. Takes it back from the primary's position if needed. */
  get row() {
    if (this.element.parentElement !== this.wrapper) this.wrapper.append(this.element);
    return this.wrapper;
  }

  render(host, rates, status) {
    const { tone, label } = stateOf(host);
    const isPrimary = host.name === status.primary;
    classes(this.element, `host ${tone}${tone === 'good' ? '' : ' troubled'}`);
    this.element.dataset.state = host.state;
    setIcon(this.icon, tone);
    text(this.role, roleOf(host, status.primary));
    text(this.state, label);
    const page = `guide#${host.drainedBy !== null && tone === 'drained' ? 'Drained' : host.state}`;
    if (this.state.getAttribute('href') !== page) this.state.setAttribute('href', page);
    this.link.dataset.flow = flowOf(host, status.primary !== null);

    const open = host.pools.reduce((sum, pool) => sum + pool.inUse + pool.idle, 0);
    const total = rates.reduce((sum, value) => sum + value, 0);
    this.measures.lag.set(isPrimary ? null : duration(host.lagMs));
    this.measures.behind.set(isPrimary ? null : bytes(host.lagBytes));
    this.measures.probe.set(duration(host.latencyMs));
    this.measures.p95.set(duration(host.p95Ms));
    this.measures.connections.set(host.maxConnections > 0 ? `${count(open)} of ${count(host.maxConnections)}` : count(open));
    this.measures.rate.set(rate(total));
    this.measures.timeline.set(host.timeline !== null && (isPrimary || host.timeline !== status.timeline) ? String(host.timeline) : null);
    rates.forEach((value, index) => {
      this.mix[index].hidden = value === 0;
      this.mix[index].style.flexGrow = String(value);
    });

    text(this.meaning, meaningOf(host));
    this.meaning.hidden = this.meaning.textContent === '';
    text(this.error, host.error ?? '');
    this.error.hidden = !host.error;
    this.order?.render(host);
    this.accept?.render(host);
  }
}

class Measure {
  constructor(label, title) {
    this.value = h('dd');
    this.element = h('div', { title }, h('dt', {}, label), this.value);
  }

  set(value) {
    this.element.hidden = value === null;
    if (value !== null) text(this.value, value);
  }
}
