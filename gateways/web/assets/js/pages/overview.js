// Overview: the node at a glance, what moves now, what needs a person, what just happened.

import { events, get, path, query } from '../api.js';
import { line } from '../chart.js';
import { h, icon, put } from '../dom.js';
import { bucketUrl, feedItem } from '../facts.js';
import { bytes, count, decimal, many, moment, rate, span } from '../format.js';
import { card, copyButton, empty, explain, failed, figure, waiting } from '../ui.js';

const REFRESH_MS = 2000;
const SHOWN = 12;

const MOVING = [
  { name: 'requests', label: 'Requests', now: (rates) => rates.requests_per_s, format: (n) => `${decimal(n)}/s`, source: 'Requests that this node answered, over all gateways, averaged over the last seconds. From its own metrics (/metrics, stead_requests).' },
  { name: 'bytes_in', label: 'Coming in', now: (rates) => rates.bytes_in_per_s, format: rate, source: 'Bytes of bodies that arrived per second, over all gateways. From the node’s own metrics.' },
  { name: 'bytes_out', label: 'Going out', now: (rates) => rates.bytes_out_per_s, format: rate, source: 'Bytes of bodies that were sent per second, over all gateways. From the node’s own metrics.' },
];

function tile(label, value, source, more) {
  return h('div', { class: 'tile' }, h('div', { class: 'label' }, label), h('div', { class: 'big' }, figure(value, source)), more);
}

function tiles(view) {
  const objects = view.buckets.reduce((sum, bucket) => sum + bucket.objects, 0);
  const stored = view.buckets.reduce((sum, bucket) => sum + bucket.bytes, 0);
  const { total, free, used } = view.space;
  const full = total ? Math.round(((total - free) / total) * 100) : 0;
  return h('div', { class: 'tiles' },
    tile('Objects', count(objects), 'Current objects of all buckets, counted by the view `names`, which is folded from the log.', h('div', { class: 'quiet' }, many(view.buckets.length, 'bucket'))),
    tile('Stored', bytes(stored), 'Sizes of all current objects. What is equal is kept once, so the disk may hold less.', h('div', { class: 'quiet' }, figure(`${bytes(used)} on disk`, 'Size of the packs in which this node keeps its blocks, older versions included.'))),
    tile('Free', bytes(free), 'Free space of the file system that holds the data directory.', h('div', { class: 'quiet' }, `${full} % of ${bytes(total)} is used`)),
    tile('Log', `#${count(view.position)}`, 'Position of the last event in the log of main. Every change adds one line; none is ever changed.', h('div', { class: 'quiet' }, figure(`up ${span(view.node.uptime_s)}`, `The process runs since ${moment(view.node.started)}.`))));
}

// What may be lost, where there is more than one node.
async function spare(signal) {
  const cluster = await get(path('cluster'), signal).catch(() => null);
  if (!cluster || cluster.nodes.length < 2) return null;
  const up = cluster.nodes.filter((node) => node.state === 'up').length;
  return h('p', { class: 'row tight' }, h('a', { href: '/cluster' }, `${up} of ${many(cluster.nodes.length, 'node')} up`), '; ',
    figure(many(cluster.can_lose, 'node'), 'Whichever they are, without losing data or service, as things are now.'), ` may be lost: ${cluster.because}`);
}

function warnings(list) {
  if (!list.length) {
    return h('p', { class: 'row tight' }, h('span', { class: 'good row tight' }, icon('good')), h('span', {}, 'Nothing needs you. '), h('a', { href: '/health' }, 'See what was checked'));
  }
  return list.map((one) => h('div', { class: 'note' }, icon('warn'), h('div', { class: 'grow' },
    h('p', {}, h('strong', {}, one.what)), h('p', {}, one.next)), explain(one.code)));
}

function space(view) {
  if (!view.buckets.length) {
    const s3 = view.node.endpoints?.s3 ?? location.origin;
    const command = `aws --endpoint-url ${s3} s3 mb s3://photos`;
    return empty('buckets', 'No bucket yet',
      h('p', {}, 'A bucket holds objects. Make one under ', h('a', { href: '/buckets' }, 'Buckets'), ', or with any S3 client:'),
      h('div', { class: 'row tight' }, h('pre', { class: 'grow', tabindex: '0' }, command), copyButton(command, 'command')));
  }
  const sorted = [...view.buckets].sort((a, b) => b.bytes + (b.version_bytes ?? 0) - a.bytes - (a.version_bytes ?? 0)).slice(0, 8);
  const largest = Math.max(1, ...sorted.map((bucket) => bucket.bytes + (bucket.version_bytes ?? 0)));
  return h('ul', { class: 'bars' }, sorted.map((bucket) => {
    const older = bucket.version_bytes ?? 0;
    const now = h('i', {});
    const then = h('i', { class: 'second' });
    now.style.width = `${(bucket.bytes / largest) * 100}%`;
    then.style.width = `${(older / largest) * 100}%`;
    return h('li', {},
      h('div', { class: 'row' }, h('a', { href: bucketUrl(bucket.name) }, bucket.name),
        h('span', { class: 'end quiet' }, figure(`${bytes(bucket.bytes)} in ${many(bucket.objects, 'object')}`, 'Current objects of this bucket, counted by the view `names`.'),
          older ? [' + ', figure(`${bytes(older)} older`, 'Versions behind the current ones. The collector frees them when their retention has passed.')] : null)),
      h('div', { class: 'bar split', 'aria-hidden': 'true' }, now, then));
  }));
}

function moving(view, history) {
  return MOVING.map(({ name, label, now, format, source }) => {
    const series = history?.series?.find((one) => one.name === name);
    return h('div', { class: 'tile' }, h('div', { class: 'label' }, label), h('div', { class: 'big' }, figure(format(now(view.rates ?? {}) ?? 0), source)),
      line(series?.points ?? [], { label, format }));
  });
}

function feed(signal) {
  const list = h('ol', { class: 'feed' });
  const state = h('span', { class: 'badge' }, 'connecting');
  const quiet = h('p', { class: 'quiet' }, 'Nothing has happened yet. Whatever anybody does, through whatever protocol, appears here.');
  const add = (event, fresh) => {
    quiet.remove();
    list.prepend(feedItem(event, fresh));
    while (list.children.length > SHOWN) list.lastChild.remove();
  };
  const live = (from) => events({ from }, {
    signal,
    onEvent: (event) => add(event, true),
    onState: (up) => {
      state.className = up ? 'badge on' : 'badge warn';
      put(state, h('span', { class: 'dot' }), up ? 'live' : 'reconnecting');
    },
  });
  const start = async (position) => {
    const known = await get(path('log') + query({ last: SHOWN }), signal).catch(() => ({ items: [] }));
    for (const item of known.items) add(item, false);
    const last = known.items.at(-1)?.position ?? position;
    if (!signal.aborted) live(last + 1);
  };
  return { start, node: card('What happens', [state, h('a', { href: '/log' }, 'Whole log')], quiet, list) };
}

export default async function overview({ root, signal }) {
  const head = h('div', { class: 'row' }, h('h1', {}, 'Overview'));
  const slots = { tiles: h('div', { class: 'tiles' }, Array.from({ length: 4 }, () => h('div', { class: 'tile skeleton' }))), warnings: h('div', { class: 'stack' }), spare: h('div', {}), space: h('div', {}, waiting()), moving: h('div', { class: 'tiles' }) };
  const happens = feed(signal);
  put(root, head, slots.tiles, slots.warnings, slots.spare, slots.moving,
    h('div', { class: 'columns wide' }, happens.node, card('Space by bucket', h('a', { href: '/buckets' }, 'All buckets'), slots.space)));
  let history;
  let shown = '';
  const draw = (view) => {
    put(slots.moving, moving(view, history));
    const state = JSON.stringify([view.buckets, view.space.used, view.space.free >> 20, view.position, view.warnings, Math.floor(view.node.uptime_s / 60)]);
    // What did not change stays, and with it the focus and the tooltip.
    if (state === shown) return;
    shown = state;
    slots.tiles.replaceWith(slots.tiles = tiles(view));
    put(slots.warnings, warnings(view.warnings ?? []));
    put(slots.space, space(view));
  };
  const refresh = async () => {
    const wanted = query({ names: MOVING.map((one) => one.name).join(',') });
    const [view, past] = await Promise.all([get(path('overview'), signal), get(path('series') + wanted, signal).catch(() => history)]);
    history = past;
    if (!slots.moving.contains(document.activeElement)) draw(view);
    return view;
  };
  const first = await refresh();
  const together = async () => {
    const told = await spare(signal);
    if (told?.textContent !== slots.spare.textContent && !slots.spare.contains(document.activeElement)) put(slots.spare, told);
  };
  together();
  happens.start(first.position);
  const timer = setInterval(() => {
    if (document.hidden) return;
    together();
    refresh().catch((why) => why.name !== 'AbortError' && put(slots.warnings, failed(why)));
  }, REFRESH_MS);
  signal.addEventListener('abort', () => clearInterval(timer));
}
