// Sharing: a presigned link that needs no key, for a while; and what is public to IPFS.

import { get, path, post } from './api.js';
import { h, icon } from './dom.js';
import { moment } from './format.js';
import { copy, copyButton, dialog, form } from './ui.js';

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

// Whether a bucket or prefix is public to IPFS, under which names, and the switch. Nothing where the node has
// no such gateway.
export async function ipfsSwitch(bucket, prefix, gateway, reload, signal) {
  if (!gateway) return null;
  const place = { bucket, prefix: prefix.replace(/\/+$/, '') };
  const { published } = await get(path('ipfs'), signal);
  const within = (one) => one.bucket === bucket && (one.prefix === '' || place.prefix === one.prefix || place.prefix.startsWith(`${one.prefix}/`));
  const found = published.find(within);
  const what = place.prefix ? `${bucket}/${place.prefix}` : bucket;
  const publish = () => form('Make public to IPFS', [
    h('p', {}, 'Everybody who reaches this node’s IPFS gateway can then read everything in ', h('strong', {}, what), ', now and later, by CID or by name. What others have fetched stays with them.'),
  ], 'Make public', async () => { await post(path('ipfs', 'publish'), place); reload(); });
  const withdraw = () => form('No longer public to IPFS', [
    h('p', {}, 'This node stops answering for ', h('strong', {}, what), ' at once. What others have fetched stays with them.'),
  ], 'Withdraw', async () => { await post(path('ipfs', 'unpublish'), { bucket, prefix: found.prefix }); reload(); }, true);
  if (!found) {
    return h('span', { class: 'row tight' }, h('span', { class: 'badge' }, icon('lock'), 'not public to IPFS'), h('button', { type: 'button', class: 'small', onclick: publish }, 'Publish …'));
  }
  const own = found.prefix === place.prefix;
  return h('span', { class: 'row tight' }, h('span', { class: 'badge warn' }, icon('globe'), own ? 'public to IPFS' : `public to IPFS with ${found.prefix || bucket}`),
    found.cid && own ? h('a', { href: `${gateway}/ipfs/${found.cid}/`, target: '_blank', rel: 'noopener noreferrer' }, 'Open') : null,
    found.cid && own ? copyButton(found.cid, 'CID of the directory') : null,
    found.ipns && own ? h('button', { type: 'button', class: 'small', onclick: () => copy(found.ipns, 'IPNS name') }, 'Copy IPNS name') : null,
    own ? h('button', { type: 'button', class: 'small', onclick: withdraw }, 'Withdraw') : null);
}
