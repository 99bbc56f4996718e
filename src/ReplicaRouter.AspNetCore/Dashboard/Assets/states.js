// How a host's state is called, and how bad it is.
const words = {
  Unknown: ['critical', 'Unknown'], Healthy: ['good', 'Healthy'], Suspect: ['warning', 'Missed a probe'], Lagging: ['warning', 'Lagging'],
  LagUnknown: ['warning', 'Lag unknown'], Down: ['critical', 'Down'], Hung: ['critical', 'Hangs'], Recovering: ['info', 'Recovering'],
  NoLogins: ['warning', 'No logins'], Full: ['warning', 'Full'], Restarting: ['warning', 'Restarting'], Misconfigured: ['critical', 'Misconfigured'],
  ForeignCluster: ['critical', 'Other cluster'], Fenced: ['critical', 'Fenced'], OldTimeline: ['critical', 'Old timeline'], SplitBrain: ['critical', 'Split brain'],
  Failing: ['critical', 'Fails statements'], ReadOnly: ['critical', 'Refuses writes'],
};

export function stateOf(host) {
  const [tone, label] = words[host.state] ?? ['info', host.state];
  // What was ordered is no fault; a fault shows through the order.
  return host.isDrained ? { tone: tone === 'critical' ? tone : 'drained', label: tone === 'good' ? 'Drained' : `Drained, ${label.toLowerCase()}` } : { tone, label };
}

export const roleOf = host => host.role === 'Unknown' ? 'role unknown' : host.role.toLowerCase();

/** Whether replication reaches it. */
export function flowOf(host, hasPrimary) {
  if (['Down', 'Hung', 'Unknown', 'Restarting', 'Misconfigured', 'ForeignCluster', 'Fenced', 'OldTimeline'].includes(host.state)) return 'none';
  if (!hasPrimary) return 'idle';
  return host.state === 'Lagging' || host.state === 'LagUnknown' ? 'slow' : 'on';
}

/** One word for all. */
export function overall(status) {
  const hosts = status.hosts;
  const split = hosts.filter(host => host.state === 'SplitBrain').length;
  const out = hosts.filter(host => !host.isHealthy).length;
  const drained = hosts.filter(host => host.isDrained).length;
  if (hosts.length === 0) return { tone: 'info', label: 'No hosts' };
  if (split > 0) return { tone: 'critical', label: 'Split brain: no writes' };
  if (out === hosts.length) return { tone: 'critical', label: 'All hosts are out' };
  if (status.primary === null) return { tone: 'critical', label: 'No primary: no writes' };
  if (out > 0) return { tone: 'warning', label: `${out} of ${hosts.length} hosts out` };
  if (drained > 0) return { tone: 'drained', label: `${drained} of ${hosts.length} hosts drained` };
  return { tone: 'good', label: `All ${hosts.length} hosts healthy` };
}
