// The HTTP API, as every program may use it, with the session's cookie and token instead of a signature.

const BASE = '/api/v1';
let csrf = '';

export class Problem extends Error {
  constructor(status, body) {
    super(body.detail || body.message || body.title || `the node answered ${status}`);
    this.status = status;
    this.code = body.code ?? '';
    this.next = body.next ?? '';
  }
}

// A path of the API; every part is one segment, whatever is in it.
export function path(...parts) {
  return `${BASE}/${parts.map((part) => encodeURIComponent(part)).join('/')}`;
}

export function query(params) {
  const pairs = Object.entries(params).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).filter((one) => one !== undefined && one !== null && one !== '').map((one) => [name, one]));
  const text = new URLSearchParams(pairs).toString();
  return text ? `?${text}` : '';
}

async function fail(answer) {
  const body = await answer.json().catch(() => ({}));
  if (answer.status === 401) location.assign('/signin');
  throw new Problem(answer.status, body);
}

// Asks; `body` is sent as JSON unless it is bytes.
export async function ask(method, url, { body, signal, headers = {} } = {}) {
  const raw = body instanceof Blob;
  const all = { ...headers };
  if (body !== undefined && !raw) all['content-type'] = 'application/json';
  if (method !== 'GET') all['x-stead-csrf'] = csrf;
  let answer;
  try {
    answer = await fetch(url, { method, headers: all, signal, cache: 'no-store', body: body === undefined || raw ? body : JSON.stringify(body) });
  } catch (why) {
    if (why.name === 'AbortError') throw why;
    throw new Problem(0, { detail: 'the node does not answer', next: 'check that it runs; this page tries again when you do' });
  }
  if (!answer.ok) await fail(answer);
  return answer;
}

export async function get(url, signal) {
  return (await ask('GET', url, { signal })).json();
}

export async function post(url, body = {}, signal) {
  const text = await (await ask('POST', url, { body, signal })).text();
  return text ? JSON.parse(text) : {};
}

export const remove = (url) => ask('DELETE', url);

// Long work: lines of progress, then the result.
export async function steps(url, body, onProgress, signal) {
  const answer = await ask('POST', url, { body, signal });
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  let result;
  for (;;) {
    const { done, value } = await reader.read();
    rest += value ?? '';
    const lines = rest.split('\n');
    rest = done ? '' : lines.pop();
    for (const line of lines.filter(Boolean)) {
      const step = JSON.parse(line);
      if (step.progress) onProgress?.(step.progress);
      else if (step.error) throw new Problem(answer.status, step.error);
      else result = step.result ?? step;
    }
    if (done) return result;
  }
}

// The live log. The browser comes back by itself, with the last position it saw. A page that nobody looks at
// lets go of its connection, of which a browser has only six for one node, and goes on where it was.
export function events(params, { onEvent, onState, signal }) {
  let source;
  let last;
  const open = () => {
    source = new EventSource(`${BASE}/events${query(last ? { ...params, from: last + 1 } : params)}`);
    source.onopen = () => onState?.(true);
    source.onerror = () => onState?.(false);
    source.onmessage = (message) => {
      last = Number(message.lastEventId);
      onEvent({ position: last, ...JSON.parse(message.data) });
    };
  };
  document.addEventListener('visibilitychange', () => {
    source.close();
    if (!document.hidden) open();
  }, { signal });
  signal.addEventListener('abort', () => source.close());
  open();
}

export async function session() {
  const known = await (await fetch('/session', { cache: 'no-store' })).json();
  csrf = known.csrf ?? '';
  return known;
}

export async function signOut() {
  await ask('DELETE', '/session');
  location.assign('/signin?out');
}

// One body with progress; fetch cannot tell how much of an upload has left.
export function send(url, blob, { onProgress, signal, type } = {}) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('PUT', url);
    request.setRequestHeader('x-stead-csrf', csrf);
    request.setRequestHeader('content-type', type || 'application/octet-stream');
    request.upload.onprogress = (event) => onProgress?.(event.loaded);
    request.onerror = () => reject(new Problem(0, { detail: 'the connection broke' }));
    request.onabort = () => reject(new DOMException('stopped', 'AbortError'));
    request.onload = () => {
      let body = {};
      try { body = JSON.parse(request.responseText || '{}'); } catch { /* told by the status */ }
      if (request.status < 300) resolve(body);
      else reject(new Problem(request.status, body));
    };
    signal?.addEventListener('abort', () => request.abort());
    request.send(blob);
  });
}
