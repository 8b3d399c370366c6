// Cluster: its nodes, what each sits behind, where copies stand, what may fail, who waits to be let in.

import { ask, get, path, post, remove } from '../api.js';
import { h, icon, put } from '../dom.js';
import { bytes, count, many, span } from '../format.js';
import { attempt, card, copyButton, dialog, failed, field, figure, form, toast, waiting } from '../ui.js';

const REFRESH_MS = 2000;
const STATES = { up: ['good', 'badge on'], away: ['bad', 'badge bad'], unknown: ['warn', 'badge warn'] };
const DOMAINS = ['site', 'rack', 'circuit', 'switch'];

function role(node) {
  if (node.leader) return 'leads';
  if (!node.voter) return 'follows';
  return node.witness ? 'votes, holds no data' : 'votes';
}

function state(node) {
  const [sign, style] = STATES[node.state] ?? STATES.unknown;
  const more = [node.draining && 'drains', node.out && 'out', node.behind > 0 && node.state === 'up' && `${count(node.behind)} behind`].filter(Boolean);
  return h('span', { class: style }, icon(sign), [node.state, ...more].join(', '));
}

function copies(node) {
  if (node.witness) return h('span', { class: 'quiet' }, 'none');
  const own = node.copies;
  if (!own) return h('span', { class: 'quiet' }, node.state === 'up' ? 'nobody beside it' : 'not known');
  if (own.level) return figure('all here', 'Every copy that belongs on this node is there, by the membership as it is now.');
  if (!own.missing) return figure('compares', 'It compares its blocks with those of the other nodes.');
  const done = own.fetched / (own.fetched + own.missing);
  const left = own.remaining_secs === undefined ? '' : `, about ${span(own.remaining_secs)} left`;
  return [figure(`${many(own.missing, 'block')} to fetch${left}`, `${many(own.fetched, 'block')} (${bytes(own.fetched_bytes)}) came so far; the rest at the same pace.`),
    h('progress', { max: 1, value: done, 'aria-label': `copies on ${node.name}` })];
}

function place(node) {
  const said = DOMAINS.filter((name) => node[name]).map((name) => `${name} ${node[name]}`);
  return said.length ? said.join(', ') : h('span', { class: 'quiet' }, 'not said');
}

function drain(node, reload) {
  form(`Drain ${node.name}`, [h('p', {}, 'Others take its copies and its vote. It goes on answering, and holds nothing that others do not hold when it is done.')], 'Drain', async () => {
    await ask('PUT', path('cluster', 'nodes', node.id, 'drain'), { body: { drain: true } });
    reload();
  });
}

async function undrain(node, reload) {
  await attempt(() => ask('PUT', path('cluster', 'nodes', node.id, 'drain'), { body: { drain: false } }), `${node.name} takes its share again`);
  reload();
}

function letGo(node, reload) {
  form(`Remove ${node.name}`, [h('p', {}, 'It is no member any more, from now on. ', node.draining ? 'Others hold what it had.' : h('strong', {}, 'It was not drained: until copies are made anew there is one less of what it holds.'))],
    'Remove', async () => { await remove(path('cluster', 'nodes', node.id)); reload(); }, true);
}

function acts(node, alone, reload) {
  if (alone) return null;
  return h('div', { class: 'row tight' },
    node.witness ? null : h('button', { class: 'small', type: 'button', 'aria-label': `${node.draining ? 'Do not drain' : 'Drain'} ${node.name}`, onclick: () => (node.draining ? undrain(node, reload) : drain(node, reload)) }, node.draining ? 'Take back' : 'Drain'),
    h('button', { class: 'small danger', type: 'button', 'aria-label': `Remove ${node.name}`, onclick: () => letGo(node, reload) }, 'Remove'));
}

function nodes(cluster, reload) {
  const alone = cluster.nodes.length < 2;
  const columns = ['Node', 'State', 'Part', 'Copies', 'Behind', 'Holds'];
  return h('div', { class: 'scroll' }, h('table', {},
    h('thead', {}, h('tr', {}, columns.map((text) => h('th', { scope: 'col' }, text)), h('th', { scope: 'col' }, h('span', { class: 'unseen' }, 'What to do')))),
    h('tbody', {}, cluster.nodes.map((node) => h('tr', {},
      h('td', {}, h('strong', {}, node.name), node.this ? h('span', { class: 'quiet' }, ' (this)') : null, h('div', { class: 'quiet' }, figure(node.id.slice(0, 12), `Its key: ${node.id}. ${node.addresses.length ? `Reached at ${node.addresses.join(', ')}.` : 'Nobody had to reach it yet.'}`))),
      h('td', {}, state(node)), h('td', {}, role(node)), h('td', {}, copies(node)), h('td', {}, place(node)),
      h('td', { class: 'num' }, node.witness ? '–' : figure(bytes(node.capacity_bytes), 'Its share of the copies goes by this: the size of its file system, unless `storage.capacity_gib` says otherwise.')),
      h('td', {}, acts(node, alone, reload)))))));
}

function losses(cluster) {
  const verdict = (fine, words, otherwise) => h('span', { class: fine ? 'badge on' : 'badge bad' }, icon(fine ? 'good' : 'bad'), fine ? words : otherwise);
  const data = (loss) => verdict(loss.data_stays, 'stays', ['switch', 'circuit'].includes(loss.kind) ? 'away until it is back' : 'some is lost');
  const service = (loss) => verdict(loss.service_goes_on, 'goes on', loss.votes < loss.quorum ? `stops: ${loss.votes} of ${loss.quorum} votes` : 'some cannot be read');
  return h('div', { class: 'stack' },
    h('p', {}, h('strong', {}, figure(many(cluster.can_lose, 'node'), 'Whichever they are, without losing data or service, as things are now.')), ` may be lost: ${cluster.because}.`),
    h('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'What each failure does' }, h('table', {},
      h('thead', {}, h('tr', {}, ['If it fails', 'Data', 'Service', 'Nodes'].map((text) => h('th', { scope: 'col' }, text)))),
      h('tbody', {}, (cluster.losses ?? []).map((loss) => h('tr', {}, h('td', {}, `${loss.kind} ${loss.name}`), h('td', {}, data(loss)), h('td', {}, service(loss)), h('td', { class: 'quiet' }, loss.nodes.join(', '))))))));
}

async function approve(code, reload) {
  await attempt(() => post(path('cluster', 'approve'), { code }), ({ node }) => `Node ${node.slice(0, 12)} is let in`);
  reload();
}

function joiners(cluster, reload) {
  const wait = cluster.waiting ?? [];
  if (!wait.length) return h('p', { class: 'quiet' }, 'Nobody waits. A machine that is to join runs ', h('code', {}, 'stead up --join'), ' and shows a code.');
  return h('ul', { class: 'bars' }, wait.map((node) => h('li', { class: 'row' },
    h('div', { class: 'grow' }, h('strong', {}, node.name), h('span', { class: 'quiet' }, ` ${node.id.slice(0, 12)}`), h('p', {}, 'Its screen has to show ', h('strong', {}, h('code', {}, node.code)), '.')),
    h('button', { class: 'primary', type: 'button', 'aria-label': `Let ${node.name} in: its screen shows ${node.code}`, onclick: () => approve(node.code, reload) }, 'Let in'))));
}

async function ticket() {
  await attempt(async () => {
    const made = await post(path('cluster', 'ticket'));
    dialog('Ticket', h('div', { class: 'stack' }, h('p', {}, 'For a machine that does not find this cluster by itself. A ticket lets nobody in: the code does.'),
      h('div', { class: 'row tight' }, h('pre', { class: 'grow', tabindex: '0' }, `stead up --join ${made.ticket}`), copyButton(`stead up --join ${made.ticket}`, 'command'))));
  });
}

function byCode(reload) {
  form('Let a node in', [field('Code', 'code', { required: true, maxLength: 12, autofocus: true, spellcheck: false, autocomplete: 'off' }, 'The six letters that its screen shows.')], 'Let in', async ({ code }) => {
    const { node } = await post(path('cluster', 'approve'), { code });
    queueMicrotask(() => toast(`Node ${node.slice(0, 12)} is let in`));
    reload();
  });
}

export default async function cluster({ root, signal }) {
  const slots = Object.fromEntries(['nodes', 'losses', 'waiting'].map((name) => [name, h('div', {}, waiting(3))]));
  let shown = '';
  const load = async () => {
    try {
      const now = await get(path('cluster'), signal);
      const told = JSON.stringify(now);
      // What did not change stays, and with it the focus and the tooltip.
      if (told === shown) return;
      shown = told;
      put(slots.nodes, nodes(now, load));
      put(slots.losses, losses(now));
      put(slots.waiting, joiners(now, load));
    } catch (why) {
      shown = '';
      if (why.name !== 'AbortError') put(slots.nodes, failed(why, load));
    }
  };
  put(root, h('div', { class: 'row' }, h('h1', {}, 'Cluster'), h('span', { class: 'end row tight' },
    h('button', { type: 'button', onclick: ticket }, 'Ticket'), h('button', { class: 'primary', type: 'button', onclick: () => byCode(load) }, icon('plus'), 'Let a node in'))),
    card('Nodes', null, slots.nodes), h('div', { class: 'columns' }, card('What may fail', null, slots.losses), card('Who waits to be let in', null, slots.waiting)));
  const busy = () => document.hidden || root.contains(document.activeElement);
  const timer = setInterval(() => { if (!busy()) load(); }, REFRESH_MS);
  signal.addEventListener('abort', () => clearInterval(timer));
  await load();
}
