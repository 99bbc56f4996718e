import { arrange, byId, classes, h, icon, setIcon, text } from './dom.js';
import { bytes, count, duration, rate } from './format.js';
import { property } from './colors.js';
import { flowOf, roleOf, stateOf } from './states.js';
import { acceptButton, isOperator, orderButton, showPrimary } from './operator.js';

const root = byId('topology');
const writers = h('div', { class: 'writers' });
const readers = h('div', { class: 'readers' });
const vacant = h('p', { class: 'vacant' }, 'No primary', h('small', {}, 'Writes wait, then fail. Reads go on where a replica serves.'));
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
  arrange(writers, left.length > 0 ? left : [vacant]);
  showPrimary(status.primary !== null);
  arrange(readers, status.hosts.filter(host => !isWriter(host)).map(host => cards.get(host.name).row));
}

/** One host: in the primary's place, or in a row with its line from the primary. */
class Card {
  constructor(name, routes) {
    this.icon = icon('info');
    this.role = h('span', { class: 'role' });
    this.state = h('span', { class: 'state' });
    this.error = h('p', { class: 'error', hidden: true });
    this.order = isOperator ? orderButton(name) : null;
    this.accept = isOperator ? acceptButton(name) : null;
    this.measures = { lag: 'Lag', behind: 'Behind', probe: 'Probe', average: 'Average', inUse: 'In use', rate: 'Commands/s', timeline: 'Timeline' };
    for (const [key, label] of Object.entries(this.measures)) this.measures[key] = new Measure(label);
    this.mix = routes.map(route => { const part = h('i'); part.style.background = `var(${property(route)})`; return part; });
    this.element = h('article', { class: 'host', 'data-host': name, 'aria-label': name },
      h('div', { class: 'top' }, this.icon, h('h3', {}, name), this.role, h('span', { class: 'standing' }, this.state, this.accept?.element, this.order?.element)),
      h('dl', { class: 'measures' }, ...Object.values(this.measures).map(measure => measure.element)),
      h('div', { class: 'mix', 'aria-hidden': 'true' }, ...this.mix),
      this.error);
    this.link = h('div', { class: 'link', 'aria-hidden': 'true' });
    this.wrapper = h('div', { class: 'reader' }, this.link);
  }

  /** The card as a replica's row: it may have been in the primary's place before. */
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
    text(this.role, roleOf(host));
    text(this.state, label);
    this.link.dataset.flow = flowOf(host, status.primary !== null);

    const inUse = host.pools.reduce((sum, pool) => sum + pool.inUse, 0);
    const total = rates.reduce((sum, value) => sum + value, 0);
    this.measures.lag.set(isPrimary ? null : duration(host.lagMs));
    this.measures.behind.set(isPrimary ? null : bytes(host.lagBytes));
    this.measures.probe.set(duration(host.latencyMs));
    this.measures.average.set(duration(host.commandMs));
    this.measures.inUse.set(count(inUse));
    this.measures.rate.set(rate(total));
    this.measures.timeline.set(host.timeline !== null && (isPrimary || host.timeline !== status.timeline) ? String(host.timeline) : null);
    rates.forEach((value, index) => {
      this.mix[index].hidden = value === 0;
      this.mix[index].style.flexGrow = String(value);
    });

    text(this.error, host.error ?? '');
    this.error.hidden = !host.error;
    this.order?.render(host);
    this.accept?.render(host);
  }
}

class Measure {
  constructor(label) {
    this.value = h('dd');
    this.element = h('div', {}, h('dt', {}, label), this.value);
  }

  set(value) {
    this.element.hidden = value === null;
    if (value !== null) text(this.value, value);
  }
}
