// The status at a glance: the header's pill, the banners, the tab's title and icon.
import { byId, classes, h, icon, text } from './dom.js';
import { css } from './colors.js';
import { duration, time } from './format.js';
import { overall } from './states.js';

const pill = byId('overall');
const banners = byId('banners');
const favicon = document.querySelector('link[rel=icon]');
const connectionText = byId('connection-text');
const where = byId('instance');
const uptime = h('span');
let lastAt = 0;
let startedAt = 0;

/** Shows which process this is: orders apply to it alone, and another page can show another process. */
export function reset(instance) {
  startedAt = instance.startedAt;
  where.replaceChildren(h('b', {}, instance.application), ` on ${instance.machine}, process ${instance.processId}, router ${instance.version}, `, uptime);
}

export function render(status) {
  const { tone, label } = overall(status);
  if (pill.textContent !== label) {
    classes(pill, `pill ${tone}`);
    pill.replaceChildren(icon(tone), label);
    document.title = tone === 'good' ? 'ReplicaRouter' : `${label} · ReplicaRouter`;
    const color = encodeURIComponent(css(`--${tone}`));
    favicon.href = `data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'><circle cx='8' cy='8' r='7' fill='${color}'/></svg>`;
  }

  show('forced', status.forcedMs > 0
    ? ['warning', `All reads are forced to the primary for ${duration(Math.ceil(status.forcedMs / 1000) * 1000)} more: ordered by ${status.forcedBy}, in this process only.`] : null);
  lastAt = status.at;
  text(uptime, `up ${duration(Math.max(0, status.at - startedAt))}`);
}

/** Shows whether the page is live, or how old its data is. */
export function connection(state) {
  classes(document.body, state);
  text(connectionText, state === 'live' ? 'Live' : state === 'denied' ? 'No longer allowed: reload the page' : lastAt > 0 ? `Reconnecting… last update at ${time(lastAt)}` : 'Connecting…');
}

function show(id, banner) {
  let element = banners.querySelector(`[data-banner=${id}]`);
  if (banner === null) {
    element?.remove();
    return;
  }

  const [tone, message] = banner;
  if (!element) banners.append(element = h('p', { class: `banner ${tone}`, 'data-banner': id }, icon(tone), h('span')));
  text(element.lastChild, message);
}
