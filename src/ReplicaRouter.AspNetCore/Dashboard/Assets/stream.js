// Server-sent events. After every connection the server sends all that is known, so nothing is missed and nothing is kept to catch up with.
const silence = 5000;
const pollEvery = 3000;

/** Follows the stream; where none comes through, as behind a proxy that holds it back, asks for all that is known every few seconds. */
export function follow(streamUrl, snapshotUrl, { onWelcome, onUpdate, onState }) {
  let source, watchdog, retry, poll;

  function open() {
    clearTimeout(retry);
    source?.close();
    source = new EventSource(streamUrl);
    source.addEventListener('welcome', event => { alive(); streams(); onState('live'); onWelcome(JSON.parse(event.data)); });
    source.addEventListener('update', event => { alive(); onUpdate(JSON.parse(event.data)); });
    // A stream lives for a minute; what follows is a new request, which is authorized like any other.
    source.addEventListener('again', open);
    source.addEventListener('error', lost);
    alive();
  }

  function lost() {
    if (poll === undefined) onState('lost');
    // A browser tries again by itself after a broken connection, but not after an answer such as 502.
    if (source.readyState === EventSource.CLOSED) { clearTimeout(retry); retry = setTimeout(open, poll === undefined ? 1000 : 10_000); }
    ask();
  }

  // A dead connection that was never closed brings nothing; an update comes every second.
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
      // A redirect leads to a form for signing in.
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
