// The operators' orders. Only their pages have the antiforgery token; the server checks it, and the policy, at each order.
import { byId, h, text } from './dom.js';

const token = document.querySelector('meta[name=operator-token]');
const dialog = byId('confirm');
const complaint = byId('complaint');

const onlyHere = 'The order applies to this process only; other processes of the application are not affected.';

let decide;

export const isOperator = token !== null;

export function orderButton(host) {
  let isDrained = false;
  const element = h('button', { class: 'quiet order', type: 'button', onclick: () => isDrained ? restore() : drain() });
  const restore = () => order(`hosts/${encodeURIComponent(host)}/restore`, element);
  const drain = async () => {
    const isSure = await confirm(`Drain ${host}?`, `It gets no new work until it is restored. Work in progress there finishes. ${onlyHere}`, 'Drain');
    if (isSure) await order(`hosts/${encodeURIComponent(host)}/drain`, element);
  };
  return {
    element,
    render(status) {
      isDrained = status.drainedBy !== null;
      text(element, isDrained ? 'Restore' : 'Drain');
      element.setAttribute('aria-label', `${element.textContent} ${host}`);
    },
  };
}

/** For a host that answers but gets no traffic: it can be right, and the router wrong. */
export function acceptButton(host) {
  const states = ['Fenced', 'ForeignCluster', 'Misconfigured', 'OldTimeline', 'SplitBrain'];
  const element = h('button', { class: 'quiet order', type: 'button', onclick: () => accept() }, 'Accept');
  element.setAttribute('aria-label', `Accept ${host}`);
  const url = `hosts/${encodeURIComponent(host)}/accept`;
  const accept = async () => {
    const response = await fetch(url).catch(() => null);
    if (!response?.ok) return complain(response ? await explain(response) : 'The application could not be reached. No order was sent.');
    const preview = await response.json();
    const given = preview.givenUp.length > 0 ? preview.givenUp.join(' ') : 'Nothing is abandoned.';
    if (await confirm(`Accept ${host}?`, `${preview.accepted} ${preview.former} ${given} ${onlyHere}`, 'Accept')) await order(url, element);
  };
  return {
    element,
    render(status) { element.hidden = !states.includes(status.state); },
  };
}

if (isOperator) {
  const force = byId('force');
  force.hidden = false;
  force.addEventListener('click', async () => {
    const isSure = await confirm('Force reads to the primary?',
      `All reads go to the primary for a few seconds, until health checks decide again. Meanwhile, the primary carries the load of all replicas. ${onlyHere}`, 'Force to primary');
    if (isSure) await order('force-to-primary', force);
  });
}

/** Without a primary, reads cannot be forced to it. */
export function showPrimary(isThere) {
  if (!byId('force').matches(':focus')) byId('force').disabled = !isThere;
}

function confirm(title, message, verb) {
  text(byId('confirm-title'), title);
  text(byId('confirm-text'), message);
  text(byId('confirm-yes'), verb);
  dialog.showModal();
  // Enter must take the harmless choice.
  byId('confirm-no').focus();
  return new Promise(resolve => { decide = resolve; });
}

// Not the dialog's close event: it fires late and would answer the next question.
for (const [element, event, answer] of [[byId('confirm-yes'), 'click', true], [byId('confirm-no'), 'click', false], [dialog, 'cancel', false]]) {
  element.addEventListener(event, () => { dialog.close(); decide(answer); });
}

async function order(url, button) {
  button.disabled = true;
  try {
    const response = await fetch(url, { method: 'POST', headers: { [token.dataset.header]: token.content } });
    complain(response.ok ? '' : await explain(response));
  } catch {
    complain('The application did not respond. The order may have taken effect: check before you repeat it.');
  } finally {
    button.disabled = false;
    button.focus({ preventScroll: true });
  }
}

async function explain(response) {
  if (response.status === 400) return 'This page has expired. Reload it, then repeat the order.';
  if (response.status === 403) return 'You are no longer allowed to do this. Reload the page.';
  const problem = await response.json().catch(() => ({}));
  return problem.detail ?? `The application answered ${response.status}.`;
}

function complain(message) {
  text(complaint, message);
  complaint.hidden = message === '';
}
