const number = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });
const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });

export const none = '–';

export const count = value => whole.format(value);

/** Formats a rate, with one decimal below 10. */
export const rate = value => value >= 10 ? whole.format(value) : number.format(value);

export function duration(ms) {
  if (ms === null || ms === undefined) return none;
  if (ms < 10) return `${number.format(ms)} ms`;
  if (ms < 1000) return `${whole.format(ms)} ms`;
  if (ms < 60_000) return `${number.format(ms / 1000)} s`;
  return ms < 3_600_000 ? `${number.format(ms / 60_000)} min` : `${number.format(ms / 3_600_000)} h`;
}

export function bytes(value) {
  if (value === null || value === undefined) return none;
  if (value < 1024) return `${value} B`;
  const units = ['kB', 'MB', 'GB', 'TB'];
  let unit = -1;
  do { value /= 1024; unit++; } while (value >= 1024 && unit < units.length - 1);
  return `${number.format(value)} ${units[unit]}`;
}

export const time = at => clock.format(at);
