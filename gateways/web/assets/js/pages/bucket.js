// One bucket: browse, upload, download, delete and bring back, now or as of any moment.

import { ask, events, get, path, post, query } from '../api.js';
import { h, icon, put } from '../dom.js';
import { bucketUrl, objectUrl } from '../facts.js';
import { ago, bytes, count, many, moment, short } from '../format.js';
import { ipfsSwitch } from '../share.js';
import { pastNote, slider } from '../travel.js';
import { attempt, copy, copyButton, empty, failed, figure, form, say, toast, waiting } from '../ui.js';
import { contentUrl } from '../preview.js';
import { dropped, uploadAll } from '../upload.js';
import { VERSIONING } from './buckets.js';

const PAGE = 200;
const SETTLE_MS = 250;
// A request line longer than this is posted instead.
const LINE = 6000;

function crumbs(bucket, prefix, at) {
  const parts = prefix.split('/').slice(0, -1);
  return h('nav', { class: 'crumbs', 'aria-label': 'Where this is' }, h('ol', {},
    h('li', {}, h('a', { href: '/buckets' }, 'Buckets')),
    h('li', {}, h('a', { href: bucketUrl(bucket, '', at) }, bucket)),
    parts.map((part, index) => h('li', {}, h('a', { href: bucketUrl(bucket, `${parts.slice(0, index + 1).join('/')}/`, at) }, part || '(empty)')))));
}

class Browser {
  constructor({ root, signal, params, go, me }) {
    Object.assign(this, { root, signal, go, me });
    this.bucket = params.get('b') ?? '';
    this.prefix = params.get('p') ?? '';
    this.at = params.get('at') ?? '';
    this.picked = new Set();
    this.deleted = false;
    this.rows = [];
    this.fresh = new Set();
    this.list = h('div', {}, waiting(6));
    this.trays = h('div', {});
    this.past = h('div', {});
    this.travel = h('div', {});
    this.info = h('div', { class: 'row' });
  }

  async start() {
    const title = this.prefix ? this.prefix.split('/').at(-2) || '(empty)' : this.bucket;
    this.input = h('input', { type: 'file', multiple: true, hidden: true, onchange: () => this.upload([...this.input.files].map((file) => ({ file, name: file.name }))) });
    const up = h('button', { class: 'primary', type: 'button', onclick: () => this.input.click() }, icon('upload'), 'Upload');
    this.travelButton = h('button', { type: 'button', 'aria-expanded': String(Boolean(this.at)), onclick: () => this.toggleTravel() }, icon('clock'), 'Time travel');
    this.deletedBox = h('input', { type: 'checkbox', id: 'deleted', onchange: () => { this.deleted = this.deletedBox.checked; this.load(); } });
    this.writing = h('div', { class: 'row end' }, h('label', { class: 'row tight', htmlFor: 'deleted' }, this.deletedBox, 'Show deleted'), this.travelButton, up);
    up.hidden = Boolean(this.at);
    this.up = up;
    put(this.root, crumbs(this.bucket, this.prefix, this.at), h('div', { class: 'row' }, h('h1', {}, title), this.writing, this.input),
      this.info, this.travel, this.past, h('section', { class: 'card', 'aria-label': 'Content' }, this.list), this.trays);
    this.drops();
    if (this.at) await this.openTravel();
    await Promise.all([this.about(), this.load()]);
    this.follow();
  }

  // What is known about the bucket itself.
  async about() {
    const view = await get(path('overview'), this.signal);
    const found = view.buckets.find((one) => one.name === this.bucket);
    if (!found) return;
    const ipfs = await ipfsSwitch(this.bucket, this.prefix, view.node.endpoints?.ipfs, () => this.about(), this.signal);
    put(this.info,
      figure(`${many(found.objects, 'object')}, ${bytes(found.bytes)}`, 'Current objects of the whole bucket, counted by the view `names`.'),
      found.versions ? figure(`${count(found.versions)} older, ${bytes(found.version_bytes)}`, 'Versions behind the current ones, delete markers included.') : null,
      h('span', { class: found.versioning === 'enabled' ? 'badge on' : 'badge' }, VERSIONING[found.versioning] ?? found.versioning), ipfs,
      found.objects + found.versions === 0 ? h('button', { class: 'small danger', type: 'button', onclick: () => this.removeBucket() }, icon('trash'), 'Delete bucket') : null);
  }

  removeBucket() {
    form('Delete bucket', [h('p', {}, 'The empty bucket ', h('strong', {}, this.bucket), ' is deleted. Its history stays in the log.')], 'Delete',
      async () => { await ask('DELETE', path('buckets', this.bucket)); this.go('/buckets'); }, true);
  }

  async toggleTravel() {
    if (this.travel.children.length) {
      put(this.travel);
      this.travelButton.setAttribute('aria-expanded', 'false');
      if (this.at) this.moveTo('');
    } else await attempt(() => this.openTravel());
  }

  async openTravel() {
    this.travelButton.setAttribute('aria-expanded', 'true');
    put(this.travel, await slider(this.bucket, this.at, (at) => this.moveTo(at), this.signal));
  }

  moveTo(at) {
    this.at = at;
    this.picked.clear();
    history.replaceState(null, '', bucketUrl(this.bucket, this.prefix, at));
    this.up.hidden = Boolean(at);
    this.load();
  }

  page(cursor) {
    return get(path('objects', this.bucket) + query({ prefix: this.prefix, delimiter: '/', limit: PAGE, cursor, at: this.at, versions: this.deleted && !this.at ? 'true' : '' }), this.signal);
  }

  // Everything of the first page again, with what was picked kept.
  async load() {
    this.turn = (this.turn ?? 0) + 1;
    const mine = this.turn;
    put(this.past, this.at ? pastNote(() => { put(this.travel); this.travelButton.setAttribute('aria-expanded', 'false'); this.moveTo(''); }) : null);
    try {
      const page = await this.page();
      if (mine !== this.turn) return;
      this.rows = [];
      this.draw(page);
    } catch (why) {
      if (why.name !== 'AbortError' && mine === this.turn) put(this.list, failed(why, () => this.load()));
    }
  }

  draw(page) {
    const items = page.items.filter((item) => !this.deleted || this.at || item.latest !== false);
    const rows = [...page.prefixes.map((prefix) => ({ prefix })), ...items.map((object) => ({ object }))];
    this.rows.push(...rows);
    if (!this.rows.length) {
      put(this.list, this.nothing());
      return;
    }
    const all = h('input', { type: 'checkbox', 'aria-label': 'Pick everything shown', onchange: () => this.pickAll(all.checked) });
    const body = h('tbody', {}, this.rows.map((row) => (row.prefix ? this.folder(row.prefix) : this.file(row.object))));
    const more = page.next && h('div', { class: 'row' }, h('button', { type: 'button', onclick: () => attempt(async () => this.draw(await this.page(page.next))) }, 'Show more'),
      h('span', { class: 'quiet' }, `${count(this.rows.length)} shown, in the order of their names`));
    put(this.list, h('div', { class: 'scroll' }, h('table', {},
      h('thead', {}, h('tr', {}, h('th', { class: 'pick' }, all), h('th', { scope: 'col' }, 'Name'),
        h('th', { class: 'num', scope: 'col' }, figure('Size', 'Length of the object’s bytes, as the event that stored it says.')),
        h('th', { class: 'narrow-hide', scope: 'col' }, figure('Changed', 'When this node accepted the write; the time of its event in the log.')),
        h('th', { class: 'narrow-hide', scope: 'col' }, figure('CID', 'The content’s name: the one that `ipfs add` would give it. Equal bytes have equal CIDs.')),
        h('th', { scope: 'col' }, h('span', { class: 'unseen' }, 'What to do')))), body)), more);
    this.fresh.clear();
    this.selection();
  }

  nothing() {
    if (this.at) return empty('clock', 'Nothing here at that moment', h('p', {}, 'Move the slider on, or go back to now.'));
    if (this.prefix) return empty('folder', 'Nothing below this prefix', h('p', {}, 'Drop files here to store them under ', h('code', {}, this.prefix), '.'));
    const command = `aws s3 cp cat.jpg s3://${this.bucket}/`;
    return empty('upload', 'Empty so far', h('p', {}, 'Drop files here, choose ', h('strong', {}, 'Upload'), ', or store something from a terminal; it appears here at once.'),
      h('div', { class: 'row tight' }, h('pre', { class: 'grow', tabindex: '0' }, command), copyButton(command, 'command')));
  }

  check(id, label) {
    const box = h('input', { type: 'checkbox', 'aria-label': `Pick ${label}`, checked: this.picked.has(id), onchange: () => { if (box.checked) this.picked.add(id); else this.picked.delete(id); this.selection(); } });
    box.dataset.id = id;
    return h('td', { class: 'pick' }, box);
  }

  folder(prefix) {
    const name = prefix.slice(this.prefix.length);
    return h('tr', {}, this.check(`p${prefix}`, name), h('td', { class: 'name' }, h('a', { href: bucketUrl(this.bucket, prefix, this.at) }, icon('folder'), name)),
      h('td', { class: 'num quiet' }, '–'), h('td', { class: 'narrow-hide' }), h('td', { class: 'narrow-hide' }), h('td', {}));
  }

  file(object) {
    const name = object.key.slice(this.prefix.length) || object.key;
    const which = this.at ? { at: this.at } : {};
    const link = h('td', { class: 'name' }, h('a', { href: objectUrl(this.bucket, object.key, this.at) }, icon('file'), h('span', {}, name)));
    if (object.marker) {
      return h('tr', {}, h('td', { class: 'pick' }), link, h('td', { class: 'num' }, h('span', { class: 'badge bad' }, icon('trash'), 'deleted')),
        h('td', { class: 'narrow-hide quiet' }, ago(object.at)), h('td', { class: 'narrow-hide' }),
        h('td', { class: 'num' }, h('button', { class: 'small', type: 'button', 'aria-label': `Bring back ${name}`, onclick: () => this.undelete(object.key) }, icon('back'), 'Bring back')));
    }
    return h('tr', { class: this.fresh.has(object.key) ? 'fresh' : '' }, this.check(`k${object.key}`, name), link,
      h('td', { class: 'num' }, bytes(object.size)),
      h('td', { class: 'narrow-hide quiet', title: moment(object.at) }, ago(object.at)),
      h('td', { class: 'narrow-hide' }, h('button', { class: 'plain small cid', type: 'button', title: object.cid, 'aria-label': `${short(object.cid)}: copy the CID of ${name}`, onclick: () => copy(object.cid, 'CID') }, short(object.cid))),
      h('td', { class: 'num' }, h('a', { class: 'button plain small', href: contentUrl(object, which), download: name, 'aria-label': `Download ${name}` }, icon('download'))));
  }

  pickAll(on) {
    for (const box of this.list.querySelectorAll('tbody input[type=checkbox]')) {
      box.checked = on;
      if (on) this.picked.add(box.dataset.id);
      else this.picked.delete(box.dataset.id);
    }
    this.selection();
  }

  chosen() {
    const of = (letter) => [...this.picked].filter((id) => id[0] === letter).map((id) => id.slice(1));
    return { keys: of('k'), prefixes: of('p') };
  }

  selection() {
    if (this.uploading) return;
    if (!this.picked.size) {
      put(this.trays);
      return;
    }
    put(this.trays, h('div', { class: 'tray row', role: 'region', 'aria-label': 'Selection' }, h('strong', {}, `${count(this.picked.size)} picked`),
      h('div', { class: 'row end' },
        h('button', { type: 'button', class: 'primary', onclick: () => attempt(() => this.zip()) }, icon('download'), 'Download zip'),
        this.at ? null : h('button', { type: 'button', class: 'danger', onclick: () => this.removeChosen() }, icon('trash'), 'Delete'),
        h('button', { type: 'button', onclick: () => { this.picked.clear(); this.pickAll(false); } }, 'Clear'))));
  }

  async zip() {
    const { keys, prefixes } = this.chosen();
    const url = path('zip') + query({ bucket: this.bucket, key: keys, prefix: prefixes, at: this.at });
    const link = h('a', { href: url, download: `${this.bucket}.zip` });
    if (url.length > LINE) {
      const answer = await ask('POST', path('zip'), { body: { bucket: this.bucket, keys, prefixes, at: this.at || undefined }, signal: this.signal });
      link.href = URL.createObjectURL(await answer.blob());
      setTimeout(() => URL.revokeObjectURL(link.href), 60000);
    }
    document.body.append(link);
    link.click();
    link.remove();
  }

  async below(prefix) {
    const keys = [];
    let cursor;
    do {
      const page = await get(path('objects', this.bucket) + query({ prefix, cursor, limit: 1000 }), this.signal);
      keys.push(...page.items.map((item) => item.key));
      cursor = page.next;
    } while (cursor);
    return keys;
  }

  removeChosen() {
    const { keys, prefixes } = this.chosen();
    form('Delete', [h('p', {}, `${many(keys.length, 'object')}${prefixes.length ? ` and everything below ${many(prefixes.length, 'prefix', 'prefixes')}` : ''} will be deleted. The log keeps what was there; it can be brought back as long as retention keeps it.`)],
      'Delete', async () => {
        const all = [...keys, ...(await Promise.all(prefixes.map((prefix) => this.below(prefix)))).flat()];
        for (const key of all) await ask('DELETE', path('objects', this.bucket, key));
        this.picked.clear();
        this.load();
        queueMicrotask(() => toast(`${many(all.length, 'object')} deleted`, { action: all.length <= 100 ? h('button', { class: 'small', type: 'button', onclick: () => this.undelete(...all) }, 'Undo') : undefined }));
      }, true);
  }

  undelete(...keys) {
    return attempt(async () => {
      for (const key of keys) await post(path('undelete'), { bucket: this.bucket, key });
      this.load();
    }, `${many(keys.length, 'object')} brought back`);
  }

  async upload(files) {
    this.uploading = true;
    await uploadAll(this.bucket, this.prefix, files, this.trays, (key) => { this.fresh.add(key); this.soon(); });
    this.uploading = false;
    this.input.value = '';
    this.load();
  }

  drops() {
    const over = (event) => {
      if (this.at || ![...event.dataTransfer.types].includes('Files')) return;
      event.preventDefault();
      this.root.classList.add('drop');
    };
    const options = { signal: this.signal };
    document.addEventListener('dragover', over, options);
    document.addEventListener('dragleave', (event) => { if (!event.relatedTarget) this.root.classList.remove('drop'); }, options);
    document.addEventListener('drop', (event) => {
      event.preventDefault();
      this.root.classList.remove('drop');
      if (!this.at) attempt(async () => this.upload(await dropped(event.dataTransfer)));
    }, options);
  }

  soon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => { this.load(); this.about(); }, SETTLE_MS);
  }

  // What anybody changes here is seen at once.
  async follow() {
    const { position } = await get(path('timeline', this.bucket), this.signal).then((line) => line.last).catch(() => ({}));
    if (this.signal.aborted) return;
    events({ stream: `bucket/${this.bucket}`, from: position ? position + 1 : undefined }, {
      signal: this.signal,
      onEvent: ({ line }) => {
        const key = line.body?.key ?? '';
        if (this.at || !key.startsWith(this.prefix) || line.kind === 'upload.part') return;
        if (line.kind === 'object.put') {
          this.fresh.add(key);
          if (line.body.via?.protocol !== 'web') say(`${key} was stored`);
        }
        this.soon();
      },
    });
  }
}

export default async function bucket(context) {
  await new Browser(context).start();
}
