// A look into an object. Pictures of harmless kinds as pictures, text as text; nothing stored here is ever
// run or parsed as a page.

import { ask, path, query } from './api.js';
import { h, put } from './dom.js';
import { bytes } from './format.js';

const PICTURES = { png: 'image/png', jpg: 'image/jpeg', jpeg: 'image/jpeg', gif: 'image/gif', webp: 'image/webp', avif: 'image/avif', bmp: 'image/bmp' };
const TEXT = /\.(txt|md|json|jsonl|ndjson|csv|tsv|xml|html?|svg|css|m?js|ts|rs|py|rb|go|c|h|cpp|java|sh|toml|ya?ml|ini|conf|log|sql|tex|srt|patch|diff)$/i;
const TEXT_BYTES = 64 << 10;
const PICTURE_BYTES = 32 << 20;

function kind(object) {
  const told = (object.headers?.['content-type'] ?? '').split(';')[0].trim().toLowerCase();
  const end = object.key.split('.').pop().toLowerCase();
  if (Object.values(PICTURES).includes(told)) return ['picture', told];
  if (PICTURES[end] && (told === '' || told.endsWith('octet-stream'))) return ['picture', PICTURES[end]];
  if (told.startsWith('text/') || /json|xml|javascript|yaml|toml/.test(told) || TEXT.test(object.key)) return ['text'];
  return [null];
}

export const contentUrl = (object, which = {}) => path('objects', object.bucket, object.key) + query(which);

export async function preview(object, which, signal) {
  const [what, type] = kind(object);
  const box = h('div', { class: 'preview', tabindex: '0', role: 'group', 'aria-label': 'Preview' });
  if (object.size === 0) return put(box, h('p', { class: 'quiet' }, 'Nothing in it: 0 bytes.'));
  if (what === 'picture' && object.size <= PICTURE_BYTES) {
    const blob = await (await ask('GET', contentUrl(object, which), { signal })).blob();
    const url = URL.createObjectURL(new Blob([blob], { type }));
    signal.addEventListener('abort', () => URL.revokeObjectURL(url));
    const broken = () => put(box, h('p', { class: 'quiet' }, 'This does not read as a picture.'));
    return put(box, h('img', { src: url, alt: `Preview of ${object.key}`, onerror: broken }));
  }
  if (what === 'text') {
    const headers = object.size > TEXT_BYTES ? { range: `bytes=0-${TEXT_BYTES - 1}` } : {};
    const raw = await (await ask('GET', contentUrl(object, which), { signal, headers })).arrayBuffer();
    const text = new TextDecoder('utf-8').decode(raw);
    return put(box, h('pre', {}, text, object.size > TEXT_BYTES ? `\n… (the first ${bytes(TEXT_BYTES)} of ${bytes(object.size)})` : ''));
  }
  return put(box, h('p', { class: 'quiet' }, 'No preview for this kind. Download it to look inside.'));
}
