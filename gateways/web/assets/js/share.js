// Sharing: a presigned link that needs no key, for a while; and what is public to IPFS.

import { path, post } from './api.js';
import { h, icon, put } from './dom.js';
import { moment } from './format.js';
import { copyButton, dialog, form } from './ui.js';

const TIMES = [[3600, 'an hour'], [86400, 'a day'], [7 * 86400, 'a week']];

export function share(object, version) {
  const options = TIMES.map(([secs, text]) => h('option', { value: String(secs) }, text));
  form('Share by link', [
    h('p', {}, 'Whoever has the link can read ', h('strong', {}, object.key), ' until it expires, without a key. It cannot be taken back before that, except by revoking the key that signs it.'),
    h('div', { class: 'field' }, h('label', { htmlFor: 'f-expires' }, 'Works for'), h('select', { id: 'f-expires', name: 'expires' }, options)),
  ], 'Make link', async ({ expires }) => {
    const made = await post(path('presign'), { bucket: object.bucket, key: object.key, version, method: 'GET', expires_s: Number(expires) });
    queueMicrotask(() => dialog('Link', h('div', { class: 'stack' },
      h('pre', { class: 'line', tabindex: '0', id: 'link' }, made.url),
      h('div', { class: 'row' }, h('span', { class: 'quiet' }, `works until ${moment(made.expires)}`), h('span', { class: 'end' }, copyButton(made.url, 'link'))))));
  });
}

// Whether a bucket or prefix is public to IPFS, and the switch. Absent where the node has no such gateway.
export async function ipfsSwitch(bucket, isPublic, reload) {
  const box = h('span', { class: 'row tight' });
  const publish = () => form('Make public to IPFS', [
    h('p', {}, 'Everybody who reaches this node’s IPFS gateway can then read everything in ', h('strong', {}, bucket), ', now and later, by CID or by name. What others have fetched stays with them.'),
  ], 'Make public', async () => { await post(path('ipfs', 'publish'), { bucket }); reload(); });
  const withdraw = () => form('No longer public to IPFS', [
    h('p', {}, 'This node stops answering for ', h('strong', {}, bucket), ' at once. What others have fetched stays with them.'),
  ], 'Withdraw', async () => { await post(path('ipfs', 'unpublish'), { bucket }); reload(); });
  return put(box,
    isPublic ? h('span', { class: 'badge warn' }, icon('globe'), 'public to IPFS') : h('span', { class: 'badge' }, icon('lock'), 'not public to IPFS'),
    h('button', { type: 'button', class: 'small', onclick: isPublic ? withdraw : publish }, isPublic ? 'Withdraw' : 'Publish …'));
}

