// One object: what it is, how it got here, and every state that is still kept.

import { ask, get, path, post, query } from '../api.js';
import { h, icon, put } from '../dom.js';
import { bucketUrl, objectUrl, proof, sentence } from '../facts.js';
import { ago, bytes, count, leaf, many, moment, short, through } from '../format.js';
import { contentUrl, preview } from '../preview.js';
import { share } from '../share.js';
import { pastNote } from '../travel.js';
import { attempt, card, cidText, copy, empty, failed, figure, form, toast, waiting } from '../ui.js';

const HISTORY = 50;

function crumbs(bucket, key) {
  const parts = key.split('/').slice(0, -1);
  return h('nav', { class: 'crumbs', 'aria-label': 'Where this is' }, h('ol', {},
    h('li', {}, h('a', { href: '/buckets' }, 'Buckets')), h('li', {}, h('a', { href: bucketUrl(bucket) }, bucket)),
    parts.map((part, index) => h('li', {}, h('a', { href: bucketUrl(bucket, `${parts.slice(0, index + 1).join('/')}/`) }, part || '(empty)')))));
}

const pairs = (map) => Object.entries(map ?? {});

function facts(object, { actor, via, remote, tags, checksum, parts, source, superseded }) {
  const rows = [
    ['Size', figure(`${bytes(object.size)}${object.size >= 1024 ? ` (${count(object.size)} bytes)` : ''}`, 'Length of the bytes, as counted when they arrived.')],
    ['Kind', object.headers?.['content-type'] ?? 'not told'],
    ['CID', object.cid ? cidText(object.cid) : null],
    ['ETag', h('span', { class: 'cid' }, object.etag)],
    ['Stored', [figure(moment(object.at), 'The time of the event in the log.'), actor ? ` by ${actor}` : '', via ? ` through ${through(via)}` : '', remote ? ` from ${remote}` : '']],
    ['Position', h('button', { class: 'plain small', type: 'button', 'aria-label': `#${count(object.position)}, open the line with its proof`, onclick: () => proof(object.position) }, `#${count(object.position)}, open the line`)],
    ['Version', object.version === 'null' ? 'not versioned' : h('span', { class: 'cid' }, object.version)],
    ['Checksum', checksum ? h('span', { class: 'cid' }, `${checksum.algorithm} ${checksum.value}`) : null],
    ['Copy of', source || null],
    ['Parts', parts?.length ? `uploaded in ${many(parts.length, 'part')}` : null],
    ['Overwritten', superseded ? `${moment(superseded.time)}, position ${count(superseded.position)}` : null],
  ];
  for (const [name, value] of pairs(object.headers)) if (name !== 'content-type') rows.push([name, value]);
  for (const [name, value] of pairs(object.metadata)) rows.push([`meta ${name}`, value]);
  for (const [name, value] of pairs(tags)) rows.push([`tag ${name}`, value]);
  return h('dl', { class: 'facts' }, rows.filter(([, value]) => value !== null).map(([name, value]) => [h('dt', {}, name), h('dd', {}, value)]));
}

class Page {
  constructor({ root, signal, params, go }) {
    Object.assign(this, { root, signal, go });
    this.bucket = params.get('b') ?? '';
    this.key = params.get('k') ?? '';
    this.version = params.get('v') ?? '';
    this.at = params.get('at') ?? '';
  }

  which() {
    return this.version ? { version: this.version } : this.at ? { at: this.at } : {};
  }

  async start() {
    this.top = h('div', { class: 'row' }, h('h1', {}, leaf(this.key)));
    this.note = h('div', {});
    this.look = h('div', {}, waiting(5));
    this.about = h('div', {}, waiting(5));
    this.story = h('div', {}, waiting(5));
    this.states = h('div', {});
    put(this.root, crumbs(this.bucket, this.key), this.top, this.note,
      h('div', { class: 'columns wide' }, h('div', { class: 'stack' }, card('Content', null, this.look), card('What it is', null, this.about)),
        h('div', { class: 'stack' }, card('How it got here', null, this.story), this.states)));
    await this.load();
  }

  async load() {
    await this.meta();
    await this.history();
  }

  async meta() {
    const past = Boolean(this.version || this.at);
    put(this.note, past ? pastNote(() => this.go(objectUrl(this.bucket, this.key))) : null);
    let meta;
    try {
      meta = await get(path('meta', this.bucket, this.key) + query(this.which()), this.signal);
    } catch (why) {
      if (why.name === 'AbortError') return;
      if (why.status !== 404) throw why;
    }
    if (!meta || meta.marker) {
      this.gone(meta);
      return;
    }
    this.object = meta;
    this.actions(past);
    put(this.about, facts(meta, meta));
    this.showStates(meta.versions);
    // A delete marker that was removed left no state, so the short history would end with the deletion.
    this.full = meta.versions?.items.some((state) => state.marker && state.listed === false && state.version !== 'null');
    this.shown(meta);
  }

  // Not waited for: what is known about an object is there before its bytes are.
  async shown(meta) {
    try {
      put(this.look, await preview(meta, this.which(), this.signal));
    } catch (why) {
      if (why.name !== 'AbortError') put(this.look, failed(why));
    }
  }

  gone(meta) {
    const back = h('button', { class: 'primary', type: 'button', onclick: () => attempt(async () => { await post(path('undelete'), { bucket: this.bucket, key: this.key }); this.load(); }, 'Brought back') }, icon('back'), 'Bring back');
    put(this.top, h('h1', {}, leaf(this.key)), h('span', { class: 'badge bad' }, icon('trash'), this.at ? 'not there then' : 'deleted'), this.at ? null : h('div', { class: 'row end' }, back));
    put(this.look, empty('trash', this.at ? 'It was not there at that moment' : 'It is deleted now', h('p', {}, 'The log still knows how it got here and who deleted it. As long as retention keeps its bytes, it can be brought back.')));
    put(this.about, h('p', { class: 'quiet' }, 'Nothing is current under this key.'));
    this.showStates(meta?.versions);
  }

  actions(past) {
    const object = this.object;
    put(this.top, h('h1', {}, leaf(this.key)), h('div', { class: 'row end' },
      h('a', { class: 'button primary', href: contentUrl(object, this.which()), download: leaf(this.key) }, icon('download'), 'Download'),
      past ? h('button', { type: 'button', onclick: () => this.restore(object) }, icon('back'), 'Restore this') : h('button', { type: 'button', onclick: () => share(object) }, icon('share'), 'Share'),
      h('button', { type: 'button', id: 'copy-cid', onclick: () => copy(object.cid, 'CID') }, icon('copy'), 'Copy CID'),
      past ? null : h('button', { type: 'button', class: 'danger', onclick: () => this.remove() }, icon('trash'), 'Delete')));
  }

  remove() {
    form('Delete', [h('p', {}, h('strong', {}, this.key), ' is deleted. What it was stays in the log, and can be brought back as long as retention keeps it.')], 'Delete',
      async () => { await ask('DELETE', path('objects', this.bucket, this.key)); queueMicrotask(() => toast('Deleted')); this.load(); }, true);
  }

  // A copy of the older state becomes the newest; nothing is lost.
  restore(object) {
    return attempt(async () => {
      const source = object.version && object.version !== 'null' ? { source_version: object.version } : { source_at: String(object.position) };
      await post(path('copy'), { source_bucket: this.bucket, source_key: this.key, ...source, bucket: this.bucket, key: this.key });
      if (this.version || this.at) this.go(objectUrl(this.bucket, this.key));
      else await this.load();
    }, `Restored as it was on ${moment(object.at)}`);
  }

  showStates(versions) {
    const items = versions?.items ?? [];
    if (items.length < 2 && !items.some((state) => state.marker)) {
      put(this.states);
      return;
    }
    const current = items.findIndex((one) => one.listed !== false);
    const row = (object, index) => h('li', { class: object.marker ? 'gone' : index === current ? 'now' : '' },
      h('div', { class: 'row tight' }, h('strong', {}, object.marker ? 'Deleted' : bytes(object.size)),
        index === current ? h('span', { class: 'badge on' }, 'current') : null, object.listed === false ? h('span', { class: 'badge', title: 'Not listed by S3; kept for history' }, 'history') : null,
        h('span', { class: 'quiet', title: moment(object.at) }, ago(object.at), ' by ', object.actor, object.via ? ` through ${through(object.via)}` : '')),
      object.marker ? null : h('div', { class: 'row tight' },
        h('span', { class: 'cid quiet', title: object.cid }, short(object.cid)),
        h('a', { class: 'button small', href: objectUrl(this.bucket, this.key, String(object.position)), 'aria-label': `Look at the state of ${moment(object.at)}` }, 'Look'),
        index === current ? null : h('button', { class: 'small', type: 'button', 'aria-label': `Restore the state of ${moment(object.at)}`, onclick: () => this.restore(object) }, icon('back'), 'Restore')));
    put(this.states, card('States that are kept', h('span', { class: 'quiet' }, figure(many(items.length, 'state') + (versions.next ? ' or more' : ''), 'Versions and overwritten states whose bytes the retention still keeps.')), h('ol', { class: 'timeline' }, items.map(row))));
  }

  async history() {
    const items = [];
    let cursor;
    let complete = true;
    try {
      do {
        const page = await get(path('history', this.bucket, this.key) + query({ cursor, limit: 1000, full: this.full ? 'true' : '' }), this.signal);
        items.push(...page.items);
        cursor = page.next;
        complete = page.complete;
      } while (cursor && items.length < 5000);
    } catch (why) {
      if (why.name !== 'AbortError') put(this.story, failed(why));
      return;
    }
    if (!items.length) {
      put(this.story, h('p', { class: 'quiet' }, 'Nothing is known about this key.'));
      return;
    }
    items.reverse();
    const entry = (fact, index) => h('li', { class: /deleted/.test(fact.event.kind) ? 'gone' : index === 0 ? 'now' : '' },
      h('div', {}, sentence(fact.event)),
      h('div', { class: 'row tight quiet' }, h('time', { dateTime: fact.event.at }, moment(fact.event.at)),
        h('button', { class: 'plain small', type: 'button', 'aria-label': `#${fact.position}: open the line with its proof`, onclick: () => proof(fact.position, { cid: fact.cid, line: fact.event }) }, `#${fact.position}`)));
    const shown = items.slice(0, HISTORY);
    const list = h('ol', { class: 'timeline' }, shown.map(entry));
    const more = items.length > shown.length && h('button', { type: 'button', class: 'small', onclick: (event) => { list.append(...items.slice(HISTORY).map((fact, index) => entry(fact, index + 1))); event.target.remove(); } }, `Show ${many(items.length - shown.length, 'earlier event')}`);
    put(this.story, list, more, complete === false ? h('p', { class: 'quiet' }, 'Older states were pruned from the views; the log has them all.') : null);
  }
}

export default async function object(context) {
  context.title(leaf(context.params.get('k') ?? ''));
  await new Page(context).start();
}
