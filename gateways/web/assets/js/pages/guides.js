// Guides: what to do, step by step. The one about outages says first what is wrong now.

import { get, path, query } from '../api.js';
import { h, icon, put } from '../dom.js';
import { card, failed, waiting } from '../ui.js';

const ROOMS = ['Hardware', 'Ops', 'Software', 'Personal software'];
const OUTAGE = 'outage';
const REFRESH_MS = 5000;

const slug = (text) => text.toLowerCase().replace(/[^a-z0-9]+/g, '-');
const words = (spans) => spans.map(({ text }) => text).join('');

function link({ text, to }) {
  const guide = to.startsWith('guide:') ? to.slice(6) : null;
  if (guide) return h('a', { href: `/guides${query({ g: guide })}` }, text);
  // Documents are files of the source tree, which the console does not have.
  return [text, ' (', h('code', {}, to), ')'];
}

const KINDS = {
  plain: ({ text }) => text,
  strong: ({ text }) => h('strong', {}, text),
  code: ({ text }) => h('code', {}, text),
  link,
};
const spans = (list) => list.map((span) => (KINDS[span.kind] ?? KINDS.plain)(span));

const BLOCKS = {
  heading: ({ level, spans: title }) => h(`h${Math.min(level, 4)}`, { id: slug(words(title)), tabIndex: -1 }, spans(title)),
  text: (block) => h('p', {}, spans(block.spans)),
  code: ({ text }) => h('pre', { tabindex: '0' }, text),
  list: ({ ordered, items }) => h(ordered ? 'ol' : 'ul', {}, items.map((item) => h('li', {}, blocks(item)))),
  table: ({ head, rows }) => h('div', { class: 'ruled', tabindex: '0', role: 'group', 'aria-label': 'Table' }, h('table', {}, h('thead', {}, h('tr', {}, head.map((cell) => h('th', { scope: 'col' }, spans(cell))))),
    h('tbody', {}, rows.map((row) => h('tr', {}, row.map((cell) => h('td', {}, spans(cell)))))))),
};
function blocks(list) {
  return list.map((block) => BLOCKS[block.kind]?.(block));
}

// Not by the address's fragment: that would be a page of its own to the browser's history, and drawn anew.
function jump(section) {
  const to = document.getElementById(slug(section));
  to?.scrollIntoView();
  to?.focus({ preventScroll: true });
}

function now(live) {
  const seen = live.present.map(({ section, what }) => h('li', {}, icon('warn'), h('span', {}, h('button', { type: 'button', class: 'plain small', onclick: () => jump(section) }, section), ` ${what}`)));
  return card('Now', null, h('div', { class: 'stack' },
    seen.length ? h('ul', { class: 'bars symptoms' }, seen) : h('p', {}, icon('good'), ' No symptom is seen from this node.'),
    h('ul', { class: 'quiet' }, live.facts.map((fact) => h('li', {}, fact)))));
}

async function list(root, signal) {
  const all = await get(path('guides'), signal);
  put(root, h('h1', {}, 'Guides'), ROOMS.map((room) => {
    const here = all.filter((guide) => guide.room === room);
    if (!here.length) return null;
    return card(room, null, h('dl', { class: 'guides' }, here.map((guide) => [
      h('dt', {}, h('a', { href: `/guides${query({ g: guide.name })}` }, guide.title)),
      h('dd', {}, guide.summary, h('span', { class: 'quiet' }, ` ${guide.minutes} min`)),
    ])));
  }));
}

async function one(name, { root, signal, title }) {
  const slots = { now: h('div', {}), page: h('article', { class: 'guide' }) };
  let shown = '';
  const load = async () => {
    const guide = await get(path('guides', name), signal);
    const told = JSON.stringify(guide);
    if (told === shown) return guide;
    shown = told;
    if (guide.live) put(slots.now, now(guide.live));
    put(slots.page, blocks(guide.blocks));
    return guide;
  };
  const guide = await load();
  title(guide.title);
  const needs = guide.needs ? ` Needs: ${guide.needs}.` : '';
  put(root, h('p', {}, h('a', { href: '/guides' }, 'All guides')), h('h1', {}, guide.title),
    h('p', { class: 'quiet' }, `${guide.summary} About ${guide.minutes} min.${needs}`), slots.now, slots.page);
  if (name !== OUTAGE) return;
  // What is read is not moved under a reader's eyes: only where nobody has scrolled down.
  const busy = () => document.hidden || scrollY > 200 || root.contains(document.activeElement);
  const timer = setInterval(() => { if (!busy()) load().catch(() => {}); }, REFRESH_MS);
  signal.addEventListener('abort', () => clearInterval(timer));
}

export default async function guides(context) {
  const { root, params } = context;
  put(root, h('h1', {}, 'Guides'), waiting(4));
  const name = params.get('g');
  const load = async () => {
    try {
      await (name ? one(name, context) : list(root, context.signal));
    } catch (why) {
      if (why.name !== 'AbortError') put(root, h('h1', {}, 'Guides'), failed(why, load));
    }
  };
  await load();
}
