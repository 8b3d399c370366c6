// Keys: who may come in through S3 and the API.

import { get, path, post, query, remove } from '../api.js';
import { h, icon, put } from '../dom.js';
import { ago, moment } from '../format.js';
import { attempt, card, cidText, dialog, empty, failed, field, form, waiting } from '../ui.js';

async function all(signal) {
  const items = [];
  let cursor;
  do {
    const page = await get(path('keys') + query({ cursor }), signal);
    items.push(...page.items);
    cursor = page.next;
  } while (cursor);
  return items;
}

function scope({ read_only: readOnly, buckets } = {}) {
  const where = buckets?.length ? `only ${buckets.join(', ')}` : 'every bucket';
  return readOnly ? `read, ${where}` : buckets?.length ? `read and write, ${where}` : 'everything';
}

function told(key, name) {
  const lines = `export AWS_ACCESS_KEY_ID=${key.access_key}\nexport AWS_SECRET_ACCESS_KEY=${key.secret_key}`;
  dialog(`Key for ${name}`, h('div', { class: 'stack' },
    h('div', { class: 'note' }, icon('warn'), h('p', {}, h('strong', {}, 'The secret is shown this once.'), ' Stead keeps it sealed and cannot show it again.')),
    h('dl', { class: 'facts' }, h('dt', {}, 'Access key'), h('dd', {}, cidText(key.access_key, 'access key')), h('dt', {}, 'Secret key'), h('dd', {}, cidText(key.secret_key, 'secret key'))),
    h('pre', { tabindex: '0' }, lines)));
}

function create(reload) {
  form('New access key', [
    field('Who or what will use it', 'name', { required: true, maxLength: 64, autofocus: true, spellcheck: false }, 'A name that is known already gets one more key.'),
    field('Only these buckets', 'buckets', { spellcheck: false, placeholder: 'all' }, 'Names, separated by commas; empty is every bucket.'),
    h('label', { class: 'row tight' }, h('input', { type: 'checkbox', name: 'readOnly' }), 'Reading only'),
  ], 'Make key', async ({ name, buckets, readOnly }) => {
    const wanted = { name: name.trim(), scope: { read_only: Boolean(readOnly), buckets: buckets.split(/[\s,]+/).filter(Boolean) } };
    const key = await post(path('keys'), wanted);
    queueMicrotask(() => told(key, wanted.name));
    reload();
  });
}

function revoke(key, reload) {
  form('Revoke key', [h('p', {}, 'The key ', h('code', {}, key.access_key), ` of ${key.name} is refused from the next request on. This cannot be undone.`)],
    'Revoke', async () => { await remove(path('keys', key.access_key)); reload(); }, true);
}

function table(items, me, reload) {
  return h('div', { class: 'scroll' }, h('table', {},
    h('thead', {}, h('tr', {}, ['User', 'Access key', 'May', 'Made'].map((text) => h('th', { scope: 'col' }, text)), h('th', { scope: 'col' }, h('span', { class: 'unseen' }, 'What to do')))),
    h('tbody', {}, items.map((key) => h('tr', {},
      h('td', {}, h('strong', {}, key.name), key.access_key === me.access_key ? h('span', { class: 'quiet' }, ' (you)') : null),
      h('td', {}, cidText(key.access_key, `access key of ${key.name}`)),
      h('td', {}, scope(key.scope)),
      h('td', { class: 'quiet', title: moment(key.created) }, ago(key.created)),
      h('td', { class: 'num' }, key.revoked
        ? h('span', { class: 'badge bad' }, icon('bad'), `revoked ${ago(key.revoked)}`)
        : h('button', { class: 'small danger', type: 'button', 'aria-label': `Revoke the key ${key.access_key} of ${key.name}`, onclick: () => revoke(key, reload) }, 'Revoke')))))));
}

export default async function keys({ root, signal, me }) {
  const body = h('div', {}, waiting());
  const load = async () => {
    try {
      const items = await all(signal);
      items.sort((a, b) => Boolean(a.revoked) - Boolean(b.revoked) || (a.created < b.created ? 1 : -1));
      put(body, card('Access keys', null, items.length ? table(items, me, reload) : empty('keys', 'No key yet', h('p', {}, 'Programs sign their requests with an access key.'))));
    } catch (why) {
      if (why.name !== 'AbortError') put(body, failed(why, load));
    }
  };
  const reload = () => attempt(load);
  put(root, h('div', { class: 'row' }, h('h1', {}, 'Keys'), h('button', { class: 'primary end', type: 'button', onclick: () => create(reload) }, icon('plus'), 'New key')),
    h('p', { class: 'quiet' }, 'Every request of a program is signed with a key; the log says under its user’s name what it did.'), body);
  await load();
}
