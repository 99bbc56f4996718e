// Server-sent events. On each connection the server first sends the full state, so nothing is missed and nothing needs replaying.
const silence = 5000;
const pollEvery = 3000;

/** Follows the stream; where none gets through, as behind a proxy that buffers it, polls the full state every few seconds. */
export function follow(streamUrl, snapshotUrl, { onWelcome, onUpdate, onState }) {
  let source, watchdog, retry, poll;

  function open() {
    clearTimeout(retry);
    source?.close();
    source = new EventSource(streamUrl);
    source.addEventListener('welcome', event => { alive(); streams(); onState('live'); onWelcome(JSON.parse(event.data)); });
    source.addEventListener('update', event => { alive(); onUpdate(JSON.parse(event.data)); });
    // A stream lasts a minute; the next one is a new request, authorized like any other.
    source.addEventListener('again', open);
    source.addEventListener('error', lost);
    alive();
  }

  function lost() {
    if (poll === undefined) onState('lost');
    // Browsers reconnect automatically after a broken connection, but not after a response such as 502.
    if (source.readyState === EventSource.CLOSED) { clearTimeout(retry); retry = setTimeout(open, poll === undefined ? 1000 : 10_000); }
    ask();
  }

  // A dead connection that was never closed stays silent; a live one brings an update every second.
  function alive() {
    clearTimeout(watchdog);
    watchdog = setTimeout(() => { if (poll === undefined) onState('lost'); ask(); open(); }, silence);
  }

  function streams() {
    clearTimeout(poll);
    poll = undefined;
  }

  async function ask() {
    if (poll !== undefined) return;
    poll = setTimeout(() => {}, 0);
    try {
      const response = await fetch(snapshotUrl, { redirect: 'manual' });
      if (poll === undefined) return;
      // A redirect leads to a sign-in form.
      if (response.type === 'opaqueredirect' || response.status === 401 || response.status === 403) { streams(); onState('denied'); return; }
      if (!response.ok) throw new Error(response.statusText);
      onState('live');
      onWelcome(await response.json());
      poll = setTimeout(() => { poll = undefined; ask(); }, pollEvery);
    } catch {
      streams();
      onState('lost');
    }
  }

  addEventListener('pagehide', () => { clearTimeout(watchdog); streams(); source.close(); });
  addEventListener('pageshow', event => { if (event.persisted) open(); });
  open();
}
