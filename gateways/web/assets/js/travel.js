// The time slider: a bucket as of any moment that is still kept, for reading only.

import { get, path, query } from './api.js';
import { h, icon, put } from './dom.js';
import { count, moment } from './format.js';
import { attempt, figure } from './ui.js';

const SETTLE_MS = 120;

// For `datetime-local`, which wants the viewer's own time without a zone.
function local(text) {
  const at = new Date(text);
  return new Date(at.getTime() - at.getTimezoneOffset() * 60000).toISOString().slice(0, 19);
}

// `onMove` gets a position, or nothing for now.
export async function slider(bucket, at, onMove, signal) {
  const line = await get(path('timeline', bucket), signal);
  const [first, last] = [line.first.position, line.last.position];
  const range = h('input', { type: 'range', id: 'slider', min: first, max: last, step: 1, value: at || last, 'aria-describedby': 'slider-at' });
  const shown = h('output', { id: 'slider-at', htmlFor: 'slider' });
  const exact = h('input', { type: 'datetime-local', step: 1, id: 'slider-exact', min: local(line.first.time), max: local(line.last.time) });
  let wait;
  let turn = 0;

  const tell = async (position) => {
    turn += 1;
    const mine = turn;
    if (position >= last) {
      put(shown, h('strong', {}, 'Now'), `, position ${count(last)}`);
      range.setAttribute('aria-valuetext', 'now');
      exact.value = local(line.last.time);
      return;
    }
    const page = await get(path('log') + query({ from: position, limit: 1 }), signal).catch(() => ({ items: [] }));
    if (mine !== turn) return;
    const time = page.items[0]?.line?.at;
    put(shown, h('strong', {}, time ? moment(time) : '–'), ', ', figure(`position ${count(position)}`, 'The bucket is shown as it was right after this event of the log.'));
    range.setAttribute('aria-valuetext', time ? `${moment(time)}, position ${position}` : `position ${position}`);
    if (time) exact.value = local(time);
  };
  const move = (position) => {
    clearTimeout(wait);
    wait = setTimeout(() => {
      tell(position);
      onMove(position >= last ? '' : String(position));
    }, SETTLE_MS);
  };
  range.addEventListener('input', () => move(Number(range.value)));
  exact.addEventListener('change', () => attempt(async () => {
    if (!exact.value) return;
    // Until the end of that second.
    const time = new Date(new Date(exact.value).getTime() + 999).toISOString();
    const found = await get(path('at') + query({ time }), signal);
    range.value = Math.max(first, Math.min(last, found.position));
    move(Number(range.value));
  }));
  const step = (by) => {
    range.value = Math.max(first, Math.min(last, Number(range.value) + by));
    move(Number(range.value));
  };
  await tell(Number(range.value));
  return h('section', { class: 'card', 'aria-label': 'Time travel' },
    h('header', {}, h('h2', {}, h('label', { htmlFor: 'slider' }, 'As of')), shown,
      h('div', { class: 'row end' },
        h('button', { type: 'button', class: 'small', 'aria-label': 'One event back', onclick: () => step(-1) }, '‹'),
        h('button', { type: 'button', class: 'small', 'aria-label': 'One event on', onclick: () => step(1) }, '›'),
        h('label', { class: 'unseen', htmlFor: 'slider-exact' }, 'Exact moment'), exact)),
    range,
    h('div', { class: 'row quiet' }, h('span', {}, `made ${moment(line.first.time)}`), h('span', { class: 'end' }, 'now')),
    line.kept_since ? h('p', { class: 'quiet' }, `What was overwritten or deleted before ${moment(line.kept_since)} may be gone.`) : null);
}

export function pastNote(back) {
  return h('div', { class: 'past row', role: 'note' }, icon('clock'), h('span', { class: 'grow' }, 'You are looking at the past. Nothing can be changed here; downloads are as it was.'),
    h('button', { type: 'button', class: 'small', onclick: back }, 'Back to now'));
}
