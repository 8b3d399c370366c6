// Buckets: which there are, and making one.

import { ask, get, path, query } from '../api.js';
import { h, icon, put } from '../dom.js';
import { bucketUrl } from '../facts.js';
import { bytes, count, moment } from '../format.js';
import { attempt, card, copyButton, empty, field, figure, form, waiting } from '../ui.js';

export const VERSIONING = { enabled: 'Versioned', suspended: 'Suspended', off: 'Not versioned' };

async function all(signal) {
  const items = [];
  let cursor;
  do {
    const page = await get(path('buckets') + query({ cursor }), signal);
    items.push(...page.items);
    cursor = page.next;
  } while (cursor);
  return items;
}

function table(items) {
  const number = (text, source) => h('th', { class: 'num', scope: 'col' }, figure(text, source));
  return h('div', { class: 'scroll' }, h('table', {},
    h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, 'Name'),
      number('Objects', 'Current objects, counted by the view `names`, which is folded from the log.'),
      number('Size', 'Sizes of the current objects.'),
      h('th', { class: 'num narrow-hide', scope: 'col' }, figure('Older', 'Versions behind the current ones, delete markers included, and their size.')),
      h('th', { class: 'narrow-hide', scope: 'col' }, 'State'),
      h('th', { class: 'narrow-hide', scope: 'col' }, 'Made'))),
    h('tbody', {}, items.map((bucket) => h('tr', {},
      h('td', { class: 'name' }, h('a', { href: bucketUrl(bucket.name) }, icon('buckets'), bucket.name)),
      h('td', { class: 'num' }, count(bucket.objects)),
      h('td', { class: 'num' }, bytes(bucket.bytes)),
      h('td', { class: 'num narrow-hide' }, bucket.versions ? `${count(bucket.versions)} · ${bytes(bucket.version_bytes)}` : '–'),
      h('td', { class: 'narrow-hide' }, h('span', { class: 'row tight' },
        h('span', { class: bucket.versioning === 'enabled' ? 'badge on' : 'badge' }, VERSIONING[bucket.versioning] ?? bucket.versioning),
        bucket.public_ipfs ? h('span', { class: 'badge warn' }, icon('globe'), 'public to IPFS') : null)),
      h('td', { class: 'narrow-hide quiet' }, moment(bucket.created), bucket.owner ? ` by ${bucket.owner}` : ''))))));
}

function create(go) {
  form('New bucket', [
    field('Name', 'name', { required: true, minLength: 3, maxLength: 63, autofocus: true, spellcheck: false }, '3 to 63 lower-case letters, digits, hyphens and dots.'),
    h('label', { class: 'row tight' }, h('input', { type: 'checkbox', name: 'versioned', checked: true }), 'Keep older versions'),
  ], 'Make bucket', async ({ name, versioned }) => {
    await ask('PUT', path('buckets', name) + query({ versioned: versioned ? 'true' : '' }));
    go(bucketUrl(name));
  });
}

export default async function buckets({ root, signal, go, me }) {
  const body = h('div', {}, waiting());
  const button = h('button', { class: 'primary end', type: 'button', onclick: () => create(go) }, icon('plus'), 'New bucket');
  put(root, h('div', { class: 'row' }, h('h1', {}, 'Buckets'), me.administrator === false ? null : button), body);
  const items = await all(signal);
  if (items.length) {
    put(body, card(`${items.length === 1 ? 'One bucket' : `${count(items.length)} buckets`}`, null, table(items)));
    return;
  }
  const status = await attempt(() => get(path('status'), signal));
  const endpoint = status?.endpoints?.s3 ?? 'http://127.0.0.1:7300';
  const aws = `aws --endpoint-url ${endpoint} s3 mb s3://photos\naws --endpoint-url ${endpoint} s3 sync Pictures s3://photos`;
  const boto = `import boto3\ns3 = boto3.client("s3", endpoint_url="${endpoint}")\ns3.create_bucket(Bucket="photos")\ns3.upload_file("cat.jpg", "photos", "cat.jpg")`;
  const block = (title, text) => h('div', {}, h('div', { class: 'row' }, h('h3', {}, title), h('span', { class: 'end' }, copyButton(text, `${title} example`))), h('pre', { tabindex: '0' }, text));
  put(body, h('section', { class: 'card' }, empty('buckets', 'No bucket yet',
    h('p', {}, 'A bucket holds objects: names and bytes. Make the first one here, or from a program; whatever arrives appears here at once. An access key is under ', h('a', { href: '/keys' }, 'Keys'), '.'),
    block('AWS command line', aws), block('Python, boto3', boto))));
}
