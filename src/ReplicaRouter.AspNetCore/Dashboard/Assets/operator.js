// What operators may order. The token is on the page for them alone; the server asks for it, and for who they are, at every order.
import { byId, h, text } from './dom.js';

const token = document.querySelector('meta[name=operator-token]');
const dialog = byId('confirm');
const complaint = byId('complaint');

const onlyHere = 'The order holds for this process only; others of the application go on as before.';

let decide;

export const isOperator = token !== null;

export function orderButton(host) {
  let isDrained = false;
  const element = h('button', { class: 'quiet order', type: 'button', onclick: () => isDrained ? restore() : drain() });
  const restore = () => order(`hosts/${encodeURIComponent(host)}/restore`, element);
  const drain = async () => {
    const isSure = await confirm(`Drain ${host}?`, `It gets no new work until it is restored. Work under way there is finished. ${onlyHere}`, 'Drain');
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

/** For a host that is out though it answers: what it shows may be right, and the router wrong. */
export function acceptButton(host) {
  const states = ['Fenced', 'ForeignCluster', 'Misconfigured', 'OldTimeline', 'SplitBrain'];
  const element = h('button', { class: 'quiet order', type: 'button', onclick: () => accept() }, 'Accept');
  element.setAttribute('aria-label', `Accept ${host}`);
  const url = `hosts/${encodeURIComponent(host)}/accept`;
  const accept = async () => {
    const response = await fetch(url).catch(() => null);
    if (!response?.ok) return complain(response ? await explain(response) : 'The application could not be reached. Nothing was ordered.');
    const preview = await response.json();
    const given = preview.givenUp.length > 0 ? preview.givenUp.join(' ') : 'Nothing is given up.';
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
      `All reads go to the primary for a few seconds, until health checks decide again. The primary has to carry the load of all replicas meanwhile. ${onlyHere}`, 'Force to primary');
    if (isSure) await order('force-to-primary', force);
  });
}

/** Reads can't be forced to what is not there. */
export function showPrimary(isThere) {
  if (!byId('force').matches(':focus')) byId('force').disabled = !isThere;
}

function confirm(title, message, verb) {
  text(byId('confirm-title'), title);
  text(byId('confirm-text'), message);
  text(byId('confirm-yes'), verb);
  dialog.showModal();
  // The harmless choice is the one that Enter takes.
  byId('confirm-no').focus();
  return new Promise(resolve => { decide = resolve; });
}

// Not by the dialog's close event: it comes late, and would answer the next question.
for (const [element, event, answer] of [[byId('confirm-yes'), 'click', true], [byId('confirm-no'), 'click', false], [dialog, 'cancel', false]]) {
  element.addEventListener(event, () => { dialog.close(); decide(answer); });
}

async function order(url, button) {
  button.disabled = true;
  try {
    const response = await fetch(url, { method: 'POST', headers: { [token.dataset.header]: token.content } });
    complain(response.ok ? '' : await explain(response));
  } catch {
    complain('The application could not be reached. Nothing was ordered.');
  } finally {
    button.disabled = false;
    button.focus({ preventScroll: true });
  }
}

async function explain(response) {
  if (response.status === 400) return 'The page is too old to order anything. Load it again.';
  if (response.status === 403) return 'You may no longer order this. Load the page again.';
  const problem = await response.json().catch(() => ({}));
  return problem.detail ?? `The application answered ${response.status}.`;
}

function complain(message) {
  text(complaint, message);
  complaint.hidden = message === '';
}
