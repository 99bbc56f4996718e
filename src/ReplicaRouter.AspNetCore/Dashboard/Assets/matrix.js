// Two tables by host and operation: traffic, and connections.
import { byId, classes, h, text } from './dom.js';
import { none, rate } from './format.js';

let traffic, pools;

export function reset({ hosts, routes }) {
  traffic = new Matrix(byId('traffic'), hosts, [...routes, 'all']);
  pools = new Matrix(byId('pools'), hosts, [...routes, 'all']);
  pools.routes = routes;
}

export function render(status, rates) {
  const sums = rates.map(row => row.reduce((sum, value) => sum + value, 0));
  const most = Math.max(...rates.flat(), 1);
  rates.forEach((row, host) => [...row, sums[host]].forEach((value, column) => traffic.set(host, column, value > 0 ? rate(value) : none, value / most)));

  status.hosts.forEach((host, row) => {
    let inUse = 0, limit = 0, idle = 0, waiting = 0;
    pools.routes.forEach((route, column) => {
      const pool = host.pools.find(candidate => candidate.route === route);
      inUse += pool?.inUse ?? 0;
      limit += pool?.limit ?? 0;
      idle += pool?.idle ?? 0;
      waiting += pool?.waiting ?? 0;
      pools.set(row, column, pool ? `${pool.inUse} / ${pool.limit}` : none, pool ? pool.inUse / pool.limit : 0, rest(pool));
    });
    pools.set(row, pools.routes.length, limit > 0 ? `${inUse} / ${limit}` : none, 0, rest(limit > 0 ? { idle, waiting } : null));
  });
}

const rest = pool => pool ? [`${pool.idle} idle`, pool.waiting > 0 ? `${pool.waiting} waiting` : ''] : ['', ''];

class Matrix {
  constructor(parent, rows, columns) {
    this.cells = rows.map(() => columns.map((_, index) => h('td', { class: index === columns.length - 1 ? 'sum' : '' }, h('span', {}, none), h('small'), h('small', { class: 'raised' }))));
    parent.replaceChildren(h('table', { class: 'matrix' },
      h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, 'Host'), ...columns.map((column, index) => h('th', { scope: 'col', class: index === columns.length - 1 ? 'sum' : '' }, column)))),
      h('tbody', {}, ...rows.map((row, index) => h('tr', {}, h('th', { scope: 'row' }, row), ...this.cells[index])))));
  }

  set(row, column, value, share, [idle, waiting] = ['', '']) {
    const cell = this.cells[row][column];
    const isSum = column === this.cells[row].length - 1;
    text(cell.children[0], value);
    text(cell.children[1], idle);
    text(cell.children[2], waiting);
    classes(cell, `${isSum ? 'sum' : ''}${value === none ? ' nothing' : ''}`.trim());
    if (!isSum) cell.style.setProperty('--share', share.toFixed(2));
  }
}
