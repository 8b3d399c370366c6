// Uploads: small files in one piece, large ones in parts of whole MiB (so that the CID is the one of the whole
// file), a few at a time, with progress, and stoppable.

import { path, post, query, remove, send } from './api.js';
import { h, icon, put } from './dom.js';
import { bytes, many } from './format.js';
import { capital, say, toast } from './ui.js';

const WHOLE = 16 << 20;
const LEAST_PART = 8 << 20;
const MOST_PARTS = 9000;
const AT_ONCE = 3;

function partSize(size) {
  let part = LEAST_PART;
  while (size / part > MOST_PARTS) part *= 2;
  return part;
}

async function inParts(bucket, key, file, onProgress, signal) {
  const target = query({ bucket, key });
  const headers = file.type ? { 'content-type': file.type } : {};
  const { upload } = await post(path('uploads'), { bucket, key, headers }, signal);
  const size = partSize(file.size);
  const total = Math.ceil(file.size / size);
  const sent = new Map();
  const parts = [];
  let next = 0;
  const worker = async () => {
    while (next < total) {
      const at = next;
      next += 1;
      const blob = file.slice(at * size, Math.min(file.size, (at + 1) * size));
      const url = path('uploads', upload, String(at + 1)) + target;
      const tell = (done) => {
        sent.set(at, done);
        onProgress([...sent.values()].reduce((sum, one) => sum + one, 0));
      };
      let part;
      for (let attempt = 1; !part; attempt += 1) {
        try {
          part = await send(url, blob, { onProgress: tell, signal });
        } catch (why) {
          // A part may be repeated; what a person stopped or the node refused may not.
          if (why.name === 'AbortError' || attempt === 4 || (why.status >= 400 && why.status < 500)) throw why;
          await new Promise((resolve) => { setTimeout(resolve, 500 * attempt); });
        }
      }
      tell(blob.size);
      parts[at] = [at + 1, part.etag];
    }
  };
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    return await post(path('uploads', upload) + target, { parts }, signal);
  } catch (why) {
    await remove(path('uploads', upload) + target).catch(() => {});
    throw why;
  }
}

export function store(bucket, key, file, onProgress, signal) {
  if (file.size > WHOLE) return inParts(bucket, key, file, onProgress, signal);
  return send(path('objects', bucket, key), file, { onProgress, signal, type: file.type });
}

// Files of a drop, folders included.
export async function dropped(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.some((entry) => entry.isDirectory)) return [...transfer.files].map((file) => ({ file, name: file.name }));
  const found = [];
  const walk = async (entry) => {
    if (entry.isFile) {
      const file = await new Promise((resolve, reject) => { entry.file(resolve, reject); });
      found.push({ file, name: entry.fullPath.replace(/^\//, '') });
      return;
    }
    const reader = entry.createReader();
    for (;;) {
      const batch = await new Promise((resolve, reject) => { reader.readEntries(resolve, reject); });
      if (!batch.length) return;
      for (const inner of batch) await walk(inner);
    }
  };
  for (const entry of entries) await walk(entry);
  return found;
}

// Uploads `files` below a prefix, one after the other, in a tray that says how far it is.
export async function uploadAll(bucket, prefix, files, tray, stored) {
  if (!files.length) return;
  const stop = new AbortController();
  const total = files.reduce((sum, { file }) => sum + file.size, 0);
  const bar = h('progress', { max: Math.max(1, total), value: 0, 'aria-label': 'Upload' });
  const text = h('span', { class: 'grow' });
  const box = h('div', { class: 'tray' }, h('div', { class: 'row' }, icon('upload'), text,
    h('button', { type: 'button', class: 'small', onclick: () => stop.abort() }, 'Stop')), bar);
  put(tray, box);
  let before = 0;
  let done = 0;
  const failed = [];
  for (const { file, name } of files) {
    const tell = (sent) => {
      bar.value = before + sent;
      put(text, `${name} · ${bytes(before + sent)} of ${bytes(total)}`, files.length > 1 ? ` · ${done + 1} of ${files.length}` : '');
    };
    tell(0);
    try {
      const answer = await store(bucket, prefix + name, file, tell, stop.signal);
      done += 1;
      stored?.(prefix + name, answer);
    } catch (why) {
      if (why.name === 'AbortError') break;
      failed.push(`${name}: ${why.message}`);
    }
    before += file.size;
  }
  put(tray);
  if (stop.signal.aborted) toast(`Stopped; ${many(done, 'file')} stored`, { bad: true });
  else if (failed.length) toast(capital(failed.slice(0, 3).join('; ')), { bad: true, next: `${many(done, 'file')} stored, ${many(failed.length, 'file')} not.` });
  else {
    toast(`${many(done, 'file')} stored, ${bytes(total)}`);
    say(`${many(done, 'file')} stored`);
  }
}

