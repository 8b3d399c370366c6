// Health: what the node checks by itself, what a person can ask it to check, and what it measured.

import { get, path, query, steps } from '../api.js';
import { line } from '../chart.js';
import { h, icon, put } from '../dom.js';
import { ago, bytes, count, decimal, many, moment, rate } from '../format.js';
import { attempt, capital, card, failed, figure, form, toast, waiting } from '../ui.js';

const FORMATS = { '1/s': (n) => `${decimal(n)}/s`, 'B/s': rate, ms: (n) => `${decimal(n)} ms`, B: bytes };
const NAMES = {
  requests: 'Requests', bytes_in: 'Coming in', bytes_out: 'Going out', errors: 'Errors', put_p50_ms: 'Put, median', get_p50_ms: 'Get, median', rss_bytes: 'Memory', space_free: 'Free space', log_position: 'Log position',
};
const VERDICTS = { ok: ['good', 'ok', 'badge on'], warn: ['warn', 'look', 'badge warn'], fail: ['bad', 'fails', 'badge bad'] };
const REFRESH_MS = 5000;

function checks(doctor) {
  return h('ul', { class: 'bars' }, doctor.checks.map((check) => {
    const [sign, word, style] = VERDICTS[check.verdict] ?? VERDICTS.warn;
    return h('li', { class: 'check' }, h('span', { class: style }, icon(sign), word),
      h('div', {}, h('strong', {}, capital(check.name)), ' ', h('span', { class: 'quiet' }, check.message), check.next ? h('p', {}, check.next) : null));
  }));
}

function charts(set) {
  return h('div', { class: 'tiles charts' }, set.series.map((series) => {
    const format = FORMATS[series.unit] ?? ((n) => count(Math.round(n)));
    const label = NAMES[series.name] ?? capital(series.name.replaceAll('_', ' '));
    const last = series.points.at(-1)?.[1];
    return h('div', { class: 'tile' }, h('div', { class: 'label' }, label), h('div', { class: 'big' }, figure(last === undefined ? '–' : format(last), series.what || `The node’s own measurement of ${label.toLowerCase()}, every ${set.step_s} s since it started.`)),
      line(series.points, { label, format, height: 48 }));
  }));
}

// A button that does long work, with its progress and its result in words.
function work(name, what, url, body, words, reload) {
  const bar = h('progress', { max: 1, hidden: true, 'aria-label': name });
  const result = h('p', { class: 'result', role: 'status' });
  const button = h('button', { type: 'button', onclick: async () => {
    button.disabled = true;
    bar.hidden = false;
    bar.removeAttribute('value');
    put(result);
    await attempt(async () => {
      const answer = await steps(url, body, ({ done, total }) => {
        bar.max = total || 1;
        if (total) bar.value = done;
      });
      put(result, words(answer));
      toast(words(answer));
    });
    bar.hidden = true;
    button.disabled = false;
    reload();
  } }, name);
  return h('div', { class: 'stack' }, h('div', { class: 'row' }, h('p', { class: 'grow quiet' }, what), button), bar, result);
}

const scrubbed = (answer) => (answer.damaged?.length ? `${many(answer.damaged.length, 'damaged block')} found among ${count(answer.blocks)}` : `${many(answer.blocks, 'block')} read, ${bytes(answer.bytes)}: every one is what was written`);
const collected = (answer) => `${many(answer.deleted, 'block')} ${answer.dry_run ? 'would be' : ''} freed, ${bytes(answer.deleted_bytes)}`.replace('  ', ' ');

function lately(known) {
  const last = (of, words) => (of ? [figure(ago(of.at), `Ended ${moment(of.at)}.`), `: ${words(of)}`] : 'not since this start');
  return h('dl', { class: 'facts' }, h('dt', {}, 'Last scrub'), h('dd', {}, last(known.scrub, scrubbed)), h('dt', {}, 'Last collection'), h('dd', {}, last(known.gc, collected)),
    h('dt', {}, 'Sealed segments'), h('dd', {}, figure(count(known.sealed_segments), 'Segments of the logs that are compressed, signed and kept as blocks, too.')),
    known.checkpoint ? [h('dt', {}, 'Write-ahead log'), h('dd', {}, figure(bytes(known.checkpoint.wal_bytes), 'What is acknowledged and would be replayed after a power cut; it is purged once everything in it is durable elsewhere.'))] : null);
}

function chores(reload) {
  const sure = () => form('Collect now', [h('p', {}, 'Frees the blocks that nothing reaches any more, and forgets overwritten states whose retention has passed. Nothing that is kept by a version, a lock or a pin is touched.')], 'Collect', async () => {
    const answer = await steps(path('gc'), {});
    queueMicrotask(() => toast(collected(answer)));
    reload();
  }, true);
  return [
    work('Scrub now', 'Reads every block back and compares it with its hash.', path('scrub'), {}, scrubbed, reload),
    work('What could be freed?', 'Looks for blocks that nothing reaches any more; frees nothing.', path('gc'), { dry_run: true }, collected, reload),
    h('div', { class: 'row' }, h('p', { class: 'grow quiet' }, 'Frees what nothing reaches and retention no longer keeps.'), h('button', { type: 'button', class: 'danger', onclick: sure }, 'Collect now')),
  ];
}

function storage(view, status) {
  const { total, free, used } = view.space;
  const other = Math.max(0, total - free - used);
  const part = (n, kind) => {
    const bar = h('i', { class: kind });
    bar.style.width = `${total ? (n / total) * 100 : 0}%`;
    return bar;
  };
  return h('div', { class: 'stack' },
    h('div', { class: 'bar split', role: 'img', 'aria-label': `${bytes(used)} by Stead, ${bytes(other)} by others, ${bytes(free)} free` }, part(used, ''), part(other, 'second')),
    h('dl', { class: 'facts' },
      h('dt', {}, 'By Stead'), h('dd', {}, figure(bytes(used), 'Size of this node’s packs on the disk.')),
      h('dt', {}, 'By others'), h('dd', {}, figure(bytes(other), 'What else is on the same file system: total less free less Stead’s packs.')),
      h('dt', {}, 'Free'), h('dd', {}, figure(`${bytes(free)} of ${bytes(total)}`, 'As the file system of the data directory says.')),
      status?.blocks ? [h('dt', {}, 'Blocks'), h('dd', {}, figure(`${count(status.blocks.blocks)} in ${many(status.blocks.packs, 'pack')}`, 'Counted by the block index.'))] : null,
      status?.data ? [h('dt', {}, 'Directory'), h('dd', {}, h('code', {}, status.data))] : null));
}

export default async function health({ root, signal }) {
  const slots = Object.fromEntries(['checks', 'upkeep', 'storage', 'charts'].map((name) => [name, h('div', {}, waiting(4))]));
  const again = h('button', { type: 'button', class: 'small', onclick: () => fill('checks', async () => checks(await get(path('doctor'), signal))) }, 'Check again');
  const fill = async (name, make) => {
    try {
      put(slots[name], await make());
    } catch (why) {
      if (why.name !== 'AbortError') put(slots[name], failed(why, () => fill(name, make)));
    }
  };
  put(root, h('h1', {}, 'Health'), h('section', { class: 'stack', 'aria-label': 'Measurements' }, slots.charts),
    h('div', { class: 'columns' }, card('What was checked', again, slots.checks), h('div', { class: 'stack' }, card('Storage', null, slots.storage), card('Upkeep', null, h('div', { class: 'stack' }, slots.upkeep, chores(() => keep()))))));
  const keep = () => fill('upkeep', async () => lately(await get(path('upkeep'), signal)));
  const chart = () => fill('charts', async () => charts(await get(path('series') + query({ names: Object.keys(NAMES).join(',') }), signal)));
  const timer = setInterval(() => { if (!document.hidden && !slots.charts.contains(document.activeElement)) chart(); }, REFRESH_MS);
  signal.addEventListener('abort', () => clearInterval(timer));
  const stored = async () => {
    const [view, status] = await Promise.all([get(path('overview'), signal), get(path('status'), signal).catch(() => null)]);
    return storage(view, status);
  };
  await Promise.all([chart(), fill('storage', stored), keep(), fill('checks', async () => checks(await get(path('doctor'), signal)))]);
}
