import { byId, classes, h, text } from './dom.js';
import { count, rate } from './format.js';

const figures = table(byId('figures'), [
  ['rate', 'Commands/s'], ['errors', 'Errors'], ['fallbacks', 'Fallbacks'], ['retries', 'Retries'], ['failovers', 'Failovers'], ['sessions', 'Sessions'],
]);
const sessions = list('Sessions', [
  ['begun', 'Begun'], ['positionsAsked', 'Positions queried'], ['catchUpWaits', 'Waits to catch up'], ['ignoredTokens', 'Ignored tokens'], ['lostHistories', 'Lost histories seen'],
]);
const recovery = list('Recovery', [
  ['retries', 'Reads retried'], ['writeRetries', 'Writes retried'], ['moved', 'Moved off hung hosts'], ['hedges', 'Hedged (won)'], ['shed', 'Refused: primary busy'], ['retriesRefused', 'Refused: budget'],
]);
const fallbacks = h('dl');
byId('counters').replaceChildren(sessions.element, recovery.element, h('div', {}, h('h3', {}, 'Fallbacks, by route and reason'), fallbacks));

export function render(status, rates) {
  const fallen = status.fallbacks.reduce((sum, fallback) => sum + fallback.count, 0);
  figures.rate(rate(rates.flat().reduce((sum, value) => sum + value, 0)));
  figures.failovers(count(status.failovers), status.failovers > 0);
  figures.fallbacks(count(fallen), fallen > 0);
  figures.retries(count(status.recovery.retries + status.recovery.writeRetries));
  figures.sessions(count(status.sessions.begun));
  const errors = status.notOpened + status.routes.reduce((sum, route) => sum + route.failed, 0);
  figures.errors(count(errors), errors > 0);
  for (const key of Object.keys(sessions.set)) sessions.set[key](count(status.sessions[key]));
  for (const key of Object.keys(recovery.set)) recovery.set[key](count(status.recovery[key]));
  recovery.set.hedges(`${count(status.recovery.hedges)} (${count(status.recovery.hedgesWon)})`);
  renderFallbacks(status.fallbacks);
}

function renderFallbacks(all) {
  const shown = all.length > 0 ? all.map(fallback => [`${fallback.route}: a host of its own group ${fallback.reason}`, count(fallback.count)]) : [['None', '0']];
  while (fallbacks.children.length < shown.length) fallbacks.append(h('div', {}, h('dt'), h('dd')));
  while (fallbacks.children.length > shown.length) fallbacks.lastChild.remove();
  shown.forEach(([label, value], index) => {
    const [term, detail] = fallbacks.children[index].children;
    text(term, label);
    text(detail, value);
  });
}

/** Fills a list of terms and returns a setter for each. */
function table(root, entries) {
  const setters = {};
  for (const [key, label] of entries) {
    const value = h('dd');
    root.append(h('div', {}, h('dt', {}, label), value));
    setters[key] = (words, isRaised = false) => { text(value, words); classes(value, isRaised ? 'raised' : ''); };
  }
  return setters;
}

function list(title, entries) {
  const root = h('dl');
  return { element: h('div', {}, h('h3', {}, title), root), set: table(root, entries) };
}
