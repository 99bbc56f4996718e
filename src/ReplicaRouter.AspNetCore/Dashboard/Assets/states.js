// Each state's severity, label, and effect on traffic. guide.html has the details.
const words = {
  Unknown: ['critical', 'Unknown'], Healthy: ['good', 'Healthy'], Suspect: ['warning', 'Missed a probe'], Lagging: ['warning', 'Lagging'],
  LagUnknown: ['warning', 'Lag unknown'], Down: ['critical', 'Down'], Hung: ['critical', 'Hangs'], Recovering: ['info', 'Recovering'],
  NoLogins: ['warning', 'No logins'], Full: ['warning', 'Full'], Restarting: ['warning', 'Restarting'], Misconfigured: ['critical', 'Misconfigured'],
  ForeignCluster: ['critical', 'Other cluster'], Fenced: ['critical', 'Fenced'], OldTimeline: ['critical', 'Other timeline'], SplitBrain: ['critical', 'Split brain'],
  Failing: ['critical', 'Fails statements'], ReadOnly: ['critical', 'Refuses writes'],
};

// A host that has never answered, as right after a start, is not at fault yet.
const isNew = host => host.state === 'Unknown' && host.timeline === null;

export function stateOf(host) {
  const [tone, label] = isNew(host) ? ['info', 'Not probed yet'] : words[host.state] ?? ['info', host.state];
  // A drain is not a fault, but must not hide one.
  return host.drainedBy !== null ? { tone: tone === 'critical' ? tone : 'drained', label: tone === 'good' ? 'Drained' : `Drained, ${label.toLowerCase()}` } : { tone, label };
}

const meanings = {
  Unknown: 'Has not answered recently: gets no traffic.', Suspect: 'Serves only while its group has no better host.',
  Lagging: 'Further behind the primary than the limit: gets no reads.', LagUnknown: 'Its replication lag cannot be determined: gets no reads.',
  Down: 'Refuses connections, or breaks them: gets no traffic.', Hung: 'Accepts connections but answers nothing: gets no traffic.',
  Recovering: 'Answers again: serves as a last choice until it has proved stable.', NoLogins: 'Only its open connections serve; no new one can be opened.',
  Full: 'Has no connection slot left; only its open connections serve.', Restarting: 'Starting up or shutting down: gets no traffic.',
  Misconfigured: 'Refuses the credentials, the database or TLS, or shows a timeline that promotions do not explain: gets no traffic until this is corrected.', ForeignCluster: 'Belongs to another cluster: gets no traffic.',
  Fenced: 'Takes writes, but is not the primary of the cluster: gets no traffic.', OldTimeline: 'Follows a different history from the cluster: gets no traffic.',
  SplitBrain: 'One of several primaries: none of them gets writes.', Failing: 'Fails statements that other hosts answer: ejected for a while.',
  ReadOnly: 'Its sessions are read-only by default: writes fail there.',
};

/** Returns a state's effect on traffic, and who drained the host; empty for a healthy host. */
export const meaningOf = host => [
  host.drainedBy !== null ? `Drained by ${host.drainedBy}, in this process only: gets no new work until it is restored.` : '', isNew(host) ? 'Has not answered a probe yet.' : meanings[host.state] ?? '',
].filter(Boolean).join(' ');

/** There is one primary; other servers that take writes get another word. */
export function roleOf(host, primary) {
  if (host.role === 'Primary' && host.name !== primary && host.state !== 'SplitBrain') return 'takes writes';
  return host.role === 'Unknown' ? 'role unknown' : host.role.toLowerCase();
}

/** Returns how to draw replication from the primary to a host. */
export function flowOf(host, hasPrimary) {
  if (isNew(host)) return 'idle';
  if (['Down', 'Hung', 'Unknown', 'Restarting', 'Misconfigured', 'ForeignCluster', 'Fenced', 'OldTimeline'].includes(host.state)) return 'none';
  if (!hasPrimary) return 'idle';
  return host.state === 'Lagging' || host.state === 'LagUnknown' ? 'slow' : 'on';
}

/** Returns the overall status in a few words. */
export function overall(status) {
  const hosts = status.hosts;
  const split = hosts.filter(host => host.state === 'SplitBrain').length;
  const out = hosts.filter(host => !host.isHealthy).length;
  const drained = hosts.filter(host => host.drainedBy !== null).length;
  if (hosts.length === 0) return { tone: 'info', label: 'No hosts' };
  if (hosts.every(isNew)) return { tone: 'info', label: 'Starting: no host has answered yet' };
  if (split > 0) return { tone: 'critical', label: 'Split brain: no writes' };
  if (out === hosts.length) return { tone: 'critical', label: 'No healthy hosts' };
  if (status.primary === null) return { tone: 'critical', label: 'No primary: no writes' };
  if (out > 0) return { tone: 'warning', label: `${out} of ${hosts.length} hosts unhealthy` };
  if (drained > 0) return { tone: 'drained', label: `${drained} of ${hosts.length} hosts drained` };
  return { tone: 'good', label: `All ${hosts.length} hosts healthy` };
}
