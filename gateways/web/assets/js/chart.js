// Small line charts: a picture, and the same in words.

import { s } from './dom.js';

const W = 300;

export function line(points, { label, format, height = 34, large = false }) {
  const values = points.map(([, value]) => value);
  const top = Math.max(...values, 0) || 1;
  const first = points.length ? points[0][0] : 0;
  const last = points.length ? points[points.length - 1][0] : 1;
  const x = (t) => (last === first ? W : ((t - first) / (last - first)) * W);
  const y = (v) => height - 2 - (v / top) * (height - 6);
  const path = points.map(([t, v], at) => `${at ? 'L' : 'M'}${x(t).toFixed(1)} ${y(v).toFixed(1)}`).join('');
  const now = values.length ? values[values.length - 1] : 0;
  const words = values.length
    ? `${label}: now ${format(now)}, highest ${format(Math.max(...values))}, over ${Math.max(1, Math.round((last - first) / 60))} min`
    : `${label}: nothing measured yet`;
  return s('svg', { class: large ? 'chart large' : 'chart', viewBox: `0 0 ${W} ${height}`, preserveAspectRatio: 'none', role: 'img', 'aria-label': words },
    s('line', { class: 'base', x1: 0, x2: W, y1: height - 1, y2: height - 1 }),
    points.length > 1 ? s('path', { class: 'area', d: `${path}L${W} ${height}L0 ${height}Z` }) : null,
    points.length > 1 ? s('path', { class: 'stroke', d: path }) : null);
}
