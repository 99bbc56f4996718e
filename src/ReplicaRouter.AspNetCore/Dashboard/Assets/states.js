// How a host's state is called, how bad it is, and what it means for traffic. The page "guide" says more.
const words = {
  Unknown: ['critical', 'Unknown'], Healthy: ['good', 'Healthy'], Suspect: ['warning', 'Missed a probe'], Lagging: ['warning', 'Lagging'],
  LagUnknown: ['warning', 'Lag unknown'], Down: ['critical', 'Down'], Hung: ['critical', 'Hangs'], Recovering: ['info', 'Recovering'],
  NoLogins: ['warning', 'No logins'], Full: ['warning', 'Full'], Restarting: ['warning', 'Restarting'], Misconfigured: ['critical', 'Misconfigured'],
  ForeignCluster: ['critical', 'Other cluster'], Fenced: ['critical', 'Fenced'], OldTimeline: ['critical', 'Other timeline'], SplitBrain: ['critical', 'Split brain'],
  Failing: ['critical', 'Fails statements'], ReadOnly: ['critical', 'Refuses writes'],
};

// No answer so far, as right after a start, is no fault yet.
const isNew = host => host.state === 'Unknown' && host.timeline === null;

export function stateOf(host) {
  const [tone, label] = isNew(host) ? ['info', 'Not seen yet'] : words[host.state] ?? ['info', host.state];
  // What was ordered is no fault; a fault shows through the order.
  return host.drainedBy !== null ? { tone: tone === 'critical' ? tone : 'drained', label: tone === 'good' ? 'Drained' : `Drained, ${label.toLowerCase()}` } : { tone, label };
}

const meanings = {
  Unknown: 'Has not answered lately: gets no traffic.', Suspect: 'Serves only while no better host of its group is left.',
  Lagging: 'Further behind the primary than the limit: gets no reads.', LagUnknown: 'How far it is behind cannot be determined: gets no reads.',
  Down: 'Refuses connections, or breaks them: gets no traffic.', Hung: 'Accepts connections and answers nothing: gets no traffic.',
  Recovering: 'Answers again: serves as a last choice until it has proved itself.', NoLogins: 'Only its open connections serve; no new one can be opened.',
  Full: 'Has no connection slot left; only its open connections serve.', Restarting: 'Starting up or shutting down: gets no traffic.',
  Misconfigured: 'Refuses the credentials, the database or TLS, or shows a timeline that promotions do not explain: gets no traffic until that is corrected.', ForeignCluster: 'Belongs to another cluster: gets no traffic.',
  Fenced: 'Takes writes, but is not the primary of the cluster: gets no traffic.', OldTimeline: 'Follows another history than that of the cluster: gets no traffic.',
  SplitBrain: 'One of several primaries: none of them gets writes.', Failing: 'Fails statements that other hosts answer: left out for a while.',
  ReadOnly: 'Its sessions are read-only by default: writes fail there.',
};

/** What a host's state means for traffic, and whose order adds to it; empty where all is well. */
export const meaningOf = host => [
  host.drainedBy !== null ? `Drained by ${host.drainedBy}, in this process only: gets no new work until it is restored.` : '', isNew(host) ? 'Has not answered yet.' : meanings[host.state] ?? '',
].filter(Boolean).join(' ');

/** There is one primary: no other server that takes writes is called so. */
export function roleOf(host, primary) {
  if (host.role === 'Primary' && host.name !== primary && host.state !== 'SplitBrain') return 'takes writes';
  return host.role === 'Unknown' ? 'role unknown' : host.role.toLowerCase();
}

/** Whether replication reaches it. */
export function flowOf(host, hasPrimary) {
  if (isNew(host)) return 'idle';
  if (['Down', 'Hung', 'Unknown', 'Restarting', 'Misconfigured', 'ForeignCluster', 'Fenced', 'OldTimeline'].includes(host.state)) return 'none';
  if (!hasPrimary) return 'idle';
  return host.state === 'Lagging' || host.state === 'LagUnknown' ? 'slow' : 'on';
}

/** One word for all. */
export function overall(status) {
  const hosts = status.hosts;
  const split = hosts.filter(host => host.state === 'SplitBrain').length;
  const out = hosts.filter(host => !host.isHealthy).length;
  const drained = hosts.filter(host => host.drainedBy !== null).length;
  if (hosts.length === 0) return { tone: 'info', label: 'No hosts' };
  if (hosts.every(isNew)) return { tone: 'info', label: 'Starting: no host has answered yet' };
  if (split > 0) return { tone: 'critical', label: 'Split brain: no writes' };
  if (out === hosts.length) return { tone: 'critical', label: 'All hosts are out' };
  if (status.primary === null) return { tone: 'critical', label: 'No primary: no writes' };
  if (out > 0) return { tone: 'warning', label: `${out} of ${hosts.length} hosts out` };
  if (drained > 0) return { tone: 'drained', label: `${drained} of ${hosts.length} hosts drained` };
  return { tone: 'good', label: `All ${hosts.length} hosts healthy` };
}
