import { follow } from './stream.js';
import * as charts from './charts.js';
import * as counters from './counters.js';
import * as events from './events.js';
import * as matrix from './matrix.js';
import * as routes from './routes.js';
import * as summary from './summary.js';
import * as topology from './topology.js';

let shape = '';
let rates = [];
let latest = null;
let isDue = false;

follow('events', 'snapshot', {
  onWelcome(welcome) {
    // With the same hosts, routes and process, elements stay, so that a reconnect does not disturb readers or operators.
    const seen = JSON.stringify([welcome.hosts, welcome.routes, welcome.instance]);
    const isSame = seen === shape;
    if (!isSame) {
      summary.reset(welcome.instance);
      topology.reset(welcome);
      matrix.reset(welcome);
      routes.reset(welcome);
      shape = seen;
    }

    charts.reset(welcome, isSame);
    events.reset(welcome.events, isSame);
    rates = welcome.points.at(-1)?.rates ?? welcome.hosts.map(() => welcome.routes.map(() => 0));
    show(welcome.status, true);
  },
  onUpdate(update) {
    if (update.point) {
      charts.add(update.point, update.step);
      rates = update.point.rates;
    }

    events.add(update.events);
    show(update.status, update.point !== null);
  },
  onState: summary.connection,
});

function show(status, hasPoint) {
  latest = status;
  isDue ||= hasPoint;
  // A hidden page renders when it becomes visible.
  if (!document.hidden) render();
}

function render() {
  if (latest === null) return;
  summary.render(latest);
  topology.render(latest, rates);
  matrix.render(latest, rates);
  routes.render(latest, rates);
  counters.render(latest, rates);
  if (isDue) charts.draw();
  isDue = false;
}

document.addEventListener('visibilitychange', () => { if (!document.hidden) render(); });
