// Numbers and moments as people read them.

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

export function bytes(n) {
  if (n === undefined || n === null || !Number.isFinite(n)) return '–';
  let unit = 0;
  let value = n;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const digits = unit === 0 || value >= 100 ? 0 : 1;
  return `${value.toFixed(digits)} ${UNITS[unit]}`;
}

export const rate = (n) => `${bytes(n)}/s`;

const PLAIN = new Intl.NumberFormat('en-GB');
export const count = (n) => (Number.isFinite(n) ? PLAIN.format(n) : '–');
export const decimal = (n) => (Number.isFinite(n) ? (n >= 100 ? PLAIN.format(Math.round(n)) : n.toFixed(1)) : '–');
export const many = (n, one, more = `${one}s`) => `${count(n)} ${n === 1 ? one : more}`;

// In the viewer's own time zone, always with the same digits.
const two = (n) => String(n).padStart(2, '0');
export function moment(text) {
  const at = new Date(text);
  if (Number.isNaN(at.getTime())) return String(text ?? '–');
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${clock(at)}`;
}
export function clock(text) {
  const at = new Date(text);
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

export function ago(text) {
  const secs = Math.round((Date.now() - new Date(text).getTime()) / 1000);
  if (!Number.isFinite(secs)) return '–';
  if (secs < 5) return 'now';
  if (secs < 60) return `${secs} s ago`;
  if (secs < 3600) return `${Math.round(secs / 60)} min ago`;
  if (secs < 86400) return `${Math.round(secs / 3600)} h ago`;
  return `${many(Math.round(secs / 86400), 'day')} ago`;
}

export function span(secs) {
  if (!Number.isFinite(secs)) return '–';
  if (secs < 60) return `${Math.floor(secs)} s`;
  if (secs < 3600) return `${Math.floor(secs / 60)} min`;
  if (secs < 86400) return `${Math.floor(secs / 3600)} h ${Math.floor((secs % 3600) / 60)} min`;
  return `${many(Math.floor(secs / 86400), 'day')} ${Math.floor((secs % 86400) / 3600)} h`;
}

export const short = (cid) => (cid && cid.length > 20 ? `${cid.slice(0, 10)}…${cid.slice(-6)}` : cid || '–');
export const leaf = (key) => key.replace(/\/+$/, '').split('/').pop() || key;

const PROTOCOLS = { s3: 'S3', cli: 'the command line', api: 'the API', web: 'the console', start: 'the first start', ipfs: 'IPFS', lifecycle: 'a lifecycle rule' };
export const through = (protocol) => PROTOCOLS[protocol] ?? protocol ?? '';
