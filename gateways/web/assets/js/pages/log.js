// The log: live, filtered, each line with its proof.

import { events, get, path, query } from '../api.js';
import { h, put } from '../dom.js';
import { feedItem } from '../facts.js';
import { count } from '../format.js';
import { attempt, card, empty, failed, waiting } from '../ui.js';

const KINDS = ['object.put', 'object.deleted', 'object.tagged', 'object.granted', 'object.retained', 'object.held', 'bucket.created', 'bucket.deleted', 'bucket.versioned', 'bucket.configured', 'upload.started', 'upload.part', 'upload.aborted', 'key.created', 'key.revoked', 'node.started', 'log.sealed', 'ext'];
const PAGE = 100;
const KEPT = 500;

function filters(params, apply) {
  const value = (name) => params.get(name) ?? '';
  const text = (name, label, placeholder) => h('div', { class: 'field' }, h('label', { htmlFor: `by-${name}` }, label), h('input', { id: `by-${name}`, name, value: value(name), placeholder, autocomplete: 'off', spellcheck: false }));
  const time = (name, label) => h('div', { class: 'field' }, h('label', { htmlFor: `by-${name}` }, label), h('input', { id: `by-${name}`, name, type: 'datetime-local', step: 1, value: value(name) }));
  const kind = h('select', { id: 'by-kind', name: 'kind' }, h('option', { value: '' }, 'every kind'), KINDS.map((one) => h('option', { value: one, selected: one === value('kind') }, one)));
  const form = h('form', {
    class: 'row filters',
    onsubmit: (event) => {
      event.preventDefault();
      apply(Object.fromEntries([...new FormData(form)].filter(([, one]) => one)));
    },
  }, text('stream', 'Stream', 'bucket/photos'), h('div', { class: 'field' }, h('label', { htmlFor: 'by-kind' }, 'Kind'), kind), text('actor', 'Who', 'anybody'), time('since', 'From'), time('until', 'Until'),
  h('div', { class: 'row tight filter-go' }, h('button', { type: 'submit', class: 'primary' }, 'Filter'), params.size ? h('button', { type: 'button', onclick: () => apply({}) }, 'Clear') : null));
  kind.addEventListener('change', () => form.requestSubmit());
  return form;
}

const zone = (local) => (local ? new Date(local).toISOString() : undefined);

export default async function log({ root, signal, params, go }) {
  const wanted = { stream: params.get('stream'), kind: params.get('kind'), actor: params.get('actor') };
  const times = { since: zone(params.get('since')), until: zone(params.get('until')) };
  const list = h('ol', { class: 'feed' });
  const state = h('span', { class: 'badge' }, 'connecting');
  const older = h('div', { class: 'row' });
  const body = h('div', {}, waiting(8));
  const apply = (values) => go(`/log${query(values)}`);
  put(root, h('div', { class: 'row' }, h('h1', {}, 'Log'), h('span', { class: 'end' }, state)),
    h('p', { class: 'quiet' }, 'Every change is one line, which names the line before it by its hash. Open one to see it as it is, with its proof.'),
    h('section', { class: 'card' }, filters(params, apply)), card('Events, newest first', null, body));

  // The end of the log, page by page backwards; from a moment on, forwards and turned round.
  const filter = { ...wanted, ...times };
  let before;
  const items = async () => {
    if (times.since) {
      const found = [];
      let cursor;
      do {
        const page = await get(path('log') + query({ ...filter, cursor, limit: 1000 }), signal);
        found.push(...page.items);
        cursor = page.next;
      } while (cursor && found.length < KEPT);
      return found.reverse();
    }
    const { items: found } = await get(path('log') + query({ ...filter, last: PAGE, before }), signal);
    before = found[0]?.position;
    return found.reverse();
  };
  const extend = async () => {
    const found = await items();
    for (const item of found) list.append(feedItem(item));
    const more = !times.since && found.length === PAGE;
    put(older, more ? h('button', { type: 'button', onclick: () => attempt(extend) }, 'Show earlier') : h('span', { class: 'quiet' }, 'No earlier event passes the filter.'));
    return found;
  };
  const status = await get(path('overview'), signal);
  try {
    await extend();
  } catch (why) {
    if (why.name !== 'AbortError') put(body, failed(why));
    return;
  }
  const none = empty('log', 'No such event', h('p', {}, 'Nothing in the log passes this filter. What does from now on appears here.'));
  put(body, list.children.length ? null : none, list, older);
  if (times.until) {
    put(state, 'filtered by time');
    return;
  }
  let fresh = 0;
  events({ ...wanted, from: status.position + 1 }, {
    signal,
    onState: (up) => {
      state.className = up ? 'badge on' : 'badge warn';
      put(state, h('span', { class: 'dot' }), up ? 'live' : 'reconnecting', fresh ? `, ${count(fresh)} new` : '');
    },
    onEvent: (event) => {
      none.remove();
      fresh += 1;
      put(state, h('span', { class: 'dot' }), `live, ${count(fresh)} new`);
      list.prepend(feedItem(event, true));
      while (list.children.length > KEPT) list.lastChild.remove();
    },
  });
}
