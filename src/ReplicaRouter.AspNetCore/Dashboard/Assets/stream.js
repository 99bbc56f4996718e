// Server-sent events. After every connection the server tells all anew, so nothing is missed and nothing is kept to catch up with.
const silence = 5000;

export function follow(url, { onWelcome, onUpdate, onState }) {
  let source, watchdog, retry;

  function open() {
    clearTimeout(retry);
    source?.close();
    source = new EventSource(url);
    source.addEventListener('welcome', event => { alive(); onState('live'); onWelcome(JSON.parse(event.data)); });
    source.addEventListener('update', event => { alive(); onUpdate(JSON.parse(event.data)); });
    source.addEventListener('error', lost);
    alive();
  }

  function lost() {
    onState('lost');
    // A browser tries again by itself after a broken connection, but not after an answer such as 502.
    if (source.readyState === EventSource.CLOSED) { clearTimeout(retry); retry = setTimeout(open, 1000); }
  }

  // A dead connection that nobody closed tells nothing; an update comes every second.
  function alive() {
    clearTimeout(watchdog);
    watchdog = setTimeout(() => { onState('lost'); open(); }, silence);
  }

  addEventListener('pagehide', () => { clearTimeout(watchdog); source.close(); });
  addEventListener('pageshow', event => { if (event.persisted) open(); });
  open();
}
