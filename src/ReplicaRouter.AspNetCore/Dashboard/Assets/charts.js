/* global uPlot */
import { byId, h, text } from './dom.js';
import { css, property, resolve } from './colors.js';
import { duration, none, rate, time } from './format.js';

const root = byId('charts');
const sync = uPlot.sync('time');

// Each range's most points, its window, and the shortest span of the time axis.
const ranges = {
  minutes: { capacity: 300, windowMs: 300_000, shortestMs: 60_000, words: 'last five minutes' },
  hour: { capacity: 240, windowMs: 3_600_000, shortestMs: 300_000, words: 'last hour in steps of 15 seconds: worst lag and latency, mean rates' },
};
const buttons = [...document.querySelectorAll('#ranges button')];
let range = 'minutes';
let charts = [];

for (const button of buttons) {
  button.addEventListener('click', () => {
    range = button.dataset.range;
    for (const each of buttons) each.setAttribute('aria-pressed', String(each === button));
    for (const chart of charts) chart.draw();
  });
}

export function reset(welcome, isSame) {
  if (isSame && charts.length > 0) {
    for (const chart of charts) chart.refill(welcome);
    return;
  }

  for (const chart of charts) chart.destroy();
  const { hosts, routes } = welcome;
  const sum = values => values.reduce((total, value) => total + value, 0);
  charts = [
    new Chart('Replication lag', 'age of the newest primary position that a replica has replayed', hosts, duration, point => point.lag),
    new Chart('Probe latency', 'how long hosts take to answer', hosts, duration, point => point.latency),
    new Chart('Commands a second', 'by operation', routes, rate, point => routes.map((_, route) => sum(point.rates.map(host => host[route])))),
    new Chart('Commands a second', 'by host', hosts, rate, point => point.rates.map(sum)),
  ];
  root.replaceChildren(...charts.map(chart => chart.element));
  for (const chart of charts) chart.fill(welcome);
}

/** Adds this second's point, and the step that it completes, if any. */
export function add(point, step) {
  for (const chart of charts) {
    chart.add(point, 'minutes');
    if (step) chart.add(step, 'hour');
  }
}

export function draw() {
  for (const chart of charts) chart.draw();
}

// The canvas does not follow the style sheet's colours automatically.
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => { for (const chart of charts) chart.create(); draw(); });

/** A plot, and a table of the same data that serves as its legend. */
class Chart {
  constructor(title, subtitle, names, format, valuesOf) {
    Object.assign(this, { names, format, valuesOf, title: `${title}, ${subtitle}`, all: {} });
    this.caption = h('caption', { class: 'sr' });
    this.plot = h('div', { class: 'plot', role: 'img', 'aria-label': `Chart: ${this.title}. The table below shows the same data.` });
    this.when = h('th', { scope: 'col' }, 'Now');
    this.cells = names.map(() => ['now', 'mean', 'max'].map(() => h('td', {}, none)));
    const rows = names.map((name, index) => {
      const swatch = h('span', { class: 'swatch', 'aria-hidden': 'true' });
      swatch.style.setProperty('--series', `var(${property(name)})`);
      return h('tr', {}, h('th', { scope: 'row' }, swatch, name), ...this.cells[index]);
    });
    this.element = h('section', { class: 'chart', 'aria-label': this.title },
      h('h2', {}, title, h('small', {}, subtitle)),
      this.plot,
      h('table', {},
        this.caption,
        h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, h('span', { class: 'sr' }, 'Name')), this.when, h('th', { scope: 'col' }, 'Mean'), h('th', { scope: 'col' }, 'Max'))),
        h('tbody', {}, ...rows)));
    this.observer = new ResizeObserver(() => this.resize());
  }

  get data() { return this.all[range]; }

  fill(welcome) {
    this.refill(welcome);
    this.create();
    this.observer.observe(this.plot);
    this.draw();
  }

  refill({ points, steps }) {
    for (const name of Object.keys(ranges)) this.all[name] = [[], ...this.names.map(() => [])];
    for (const point of points) this.add(point, 'minutes');
    for (const step of steps) this.add(step, 'hour');
  }

  add(point, name) {
    const [at, ...series] = this.all[name];
    at.push(point.at);
    this.valuesOf(point).forEach((value, index) => series[index].push(value));
    if (at.length > ranges[name].capacity) for (const column of this.all[name]) column.shift();
  }

  create() {
    this.chart?.destroy();
    const muted = css('--muted'), line = css('--line');
    const axis = { stroke: muted, font: '11px system-ui, sans-serif', ticks: { show: false }, grid: { stroke: line, width: 1 } };
    this.chart = new uPlot({
      width: this.plot.clientWidth || 300, height: 150, ms: 1, legend: { show: false }, padding: [8, 18, 0, 0],
      cursor: { y: false, drag: { setScale: false }, sync: { key: sync.key }, points: { size: 6 } },
      scales: { x: { range: () => [Math.max(this.end - ranges[range].windowMs, Math.min(this.begin, this.end - ranges[range].shortestMs)), this.end] }, y: { range: (_, min, max) => [0, max > 0 ? max * 1.15 : 1] } },
      axes: [
        { ...axis, grid: { show: false }, size: 26, space: 70, values: (_, ticks, __, ___, step) => ticks.map(tick => time(tick).slice(0, step < 60_000 ? 8 : 5)) },
        { ...axis, size: 62, space: 34, values: (_, ticks) => ticks.map(tick => this.format(tick)) },
      ],
      series: [{}, ...this.names.map((name, index) => ({ stroke: resolve(name), width: 1.6, dash: index > 5 ? [6, 3] : undefined, points: { show: false } }))],
      hooks: { setCursor: [() => this.read()] },
    }, this.data, this.plot);
    sync.sub(this.chart);
  }

  get begin() { return this.data[0][0] ?? Date.now(); }

  get end() { return this.data[0].at(-1) ?? Date.now(); }

  resize() {
    const width = this.plot.clientWidth;
    if (width > 0 && width !== this.chart.width) this.chart.setSize({ width, height: 150 });
  }

  draw() {
    text(this.caption, `${this.title}, ${ranges[range].words}`);
    this.chart.setData(this.data);
    this.data.slice(1).forEach((values, index) => {
      const known = values.filter(value => value !== null);
      const [, mean, max] = this.cells[index];
      text(mean, known.length > 0 ? this.format(known.reduce((sum, value) => sum + value, 0) / known.length) : none);
      text(max, known.length > 0 ? this.format(known.reduce((most, value) => Math.max(most, value), 0)) : none);
    });
    this.read();
  }

  /** Shows the values under the pointer, else the latest. */
  read() {
    const index = this.chart?.cursor.idx;
    const isPast = index !== null && index !== undefined;
    text(this.when, isPast ? time(this.data[0][index]) : range === 'minutes' ? 'Now' : 'Latest');
    this.data.slice(1).forEach((values, series) => {
      const value = isPast ? values[index] : values.at(-1);
      text(this.cells[series][0], value === null || value === undefined ? none : this.format(value));
    });
  }

  destroy() {
    this.observer.disconnect();
    this.chart?.destroy();
  }
}
