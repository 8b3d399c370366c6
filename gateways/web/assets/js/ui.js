// What every page is made of: numbers that say where they come from, messages, dialogs, copying.

import { get, path } from './api.js';
import { h, icon, put } from './dom.js';

// A number and its source: shown on hover, on focus and to screen readers.
export function figure(text, source, tag = 'span') {
  return h(tag, { class: 'src', tabindex: '0', data: { source } }, text);
}

let tip;
function show(target) {
  hide();
  tip = h('div', { class: 'tip', role: 'tooltip', id: 'tip' }, target.dataset.source);
  document.body.append(tip);
  target.setAttribute('aria-describedby', 'tip');
  const at = target.getBoundingClientRect();
  const own = tip.getBoundingClientRect();
  const left = Math.max(8, Math.min(at.left, innerWidth - own.width - 8));
  const above = at.top - own.height - 6;
  tip.style.left = `${left}px`;
  tip.style.top = `${above > 4 ? above : at.bottom + 6}px`;
}
function hide() {
  document.querySelector('[aria-describedby=tip]')?.removeAttribute('aria-describedby');
  tip?.remove();
  tip = undefined;
}
export function tooltips() {
  const of = (event) => event.target instanceof Element && event.target.closest('[data-source]');
  document.addEventListener('pointerover', (event) => (of(event) ? show(of(event)) : hide()));
  document.addEventListener('focusin', (event) => (of(event) ? show(of(event)) : hide()));
  document.addEventListener('keydown', (event) => event.key === 'Escape' && hide());
  document.addEventListener('scroll', hide, true);
}

// Said to screen readers without moving the focus.
export function say(text) {
  const status = document.getElementById('status');
  status.textContent = '';
  requestAnimationFrame(() => { status.textContent = text; });
}

export function toast(text, { bad = false, next = '', action } = {}) {
  const close = h('button', { class: 'plain small', type: 'button', 'aria-label': 'Dismiss', onclick: () => box.remove() }, icon('bad'));
  const box = h('div', { class: bad ? 'toast bad-toast' : 'toast' },
    icon(bad ? 'warn' : 'good'),
    h('div', { class: 'grow' }, h('p', {}, text), next && h('p', { class: 'quiet' }, next), action),
    close);
  document.getElementById('toasts').append(box);
  say(`${bad ? 'Error: ' : ''}${text}`);
  setTimeout(() => box.remove(), bad || action ? 14000 : 5000);
}

// Runs what a person asked for; what goes wrong is said, with the next step.
export async function attempt(work, done) {
  try {
    const answer = await work();
    if (done) toast(typeof done === 'function' ? done(answer) : done);
    return answer;
  } catch (why) {
    if (why.name === 'AbortError') return undefined;
    const code = why.code && typeof why.code === 'string' ? ` (${why.code})` : '';
    toast(`${capital(why.message)}${code}`, { bad: true, next: why.next });
    return undefined;
  }
}

export const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

export async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
    toast(`${what} copied`);
  } catch {
    dialog(`Copy ${what}`, h('textarea', { readOnly: true, rows: 4, value: text, 'aria-label': what }));
  }
}

export function copyButton(text, what) {
  return h('button', { class: 'plain small', type: 'button', 'aria-label': `Copy ${what}`, title: `Copy ${what}`, onclick: () => copy(text, what) }, icon('copy'));
}

export function cidText(cid, what = 'CID') {
  return h('span', { class: 'id' }, h('span', { class: 'cid' }, cid), copyButton(cid, what));
}

// A dialog that closes with Escape, gives the focus back, and is gone afterwards.
export function dialog(title, body, actions = [], broad = false) {
  const id = `d${Math.random().toString(36).slice(2)}`;
  const box = h('dialog', { class: broad ? 'broad' : '', 'aria-labelledby': id });
  const close = h('button', { type: 'button', onclick: () => box.close() }, 'Close');
  box.append(h('div', { class: 'stack' }, h('h2', { id }, title), body, h('div', { class: 'actions' }, close, actions)));
  box.addEventListener('close', () => box.remove());
  document.body.append(box);
  box.showModal();
  return box;
}

// A form in a dialog. `work` gets the values; the dialog closes where it answers something.
export function form(title, fields, button, work, danger = false) {
  const id = `d${Math.random().toString(36).slice(2)}`;
  const problem = h('p', { class: 'bad', role: 'alert' });
  const go = h('button', { class: danger ? 'danger' : 'primary', type: 'submit' }, button);
  const box = h('dialog', { 'aria-labelledby': id });
  const inner = h('form', {
    method: 'dialog',
    onsubmit: async (event) => {
      event.preventDefault();
      go.disabled = true;
      put(problem);
      try {
        await work(Object.fromEntries(new FormData(inner)), inner);
        box.close();
      } catch (why) {
        put(problem, capital(why.message), why.next ? ` – ${why.next}` : '');
      }
      go.disabled = false;
    },
  }, h('h2', { id }, title), fields, problem, h('div', { class: 'actions' }, h('button', { type: 'button', onclick: () => box.close() }, 'Cancel'), go));
  box.append(inner);
  box.addEventListener('close', () => box.remove());
  document.body.append(box);
  box.showModal();
  return box;
}

export function field(label, name, props = {}, hint = '') {
  const id = `f-${name}`;
  return h('div', { class: 'field' }, h('label', { htmlFor: id }, label), h('input', { id, name, autocomplete: 'off', ...props }), hint && h('span', { class: 'quiet' }, hint));
}

export function empty(name, title, ...body) {
  return h('div', { class: 'empty' }, icon(name), h('h3', {}, title), body);
}

// What a code means, and what to do, as `stead explain` says it.
export function explain(code) {
  const open = () => attempt(async () => {
    const page = await get(path('explain', code));
    dialog(`${page.code}: ${page.title}`, h('div', { class: 'stack' }, h('p', {}, page.meaning), h('p', {}, h('strong', {}, 'What to do: '), page.next)));
  });
  return /^STEAD-\d+$/.test(code ?? '') && h('button', { type: 'button', class: 'small', onclick: open }, `Explain ${code}`);
}

export function failed(why, again) {
  return h('div', { class: 'note bad-note', role: 'alert' }, icon('warn'),
    h('div', { class: 'grow' }, h('p', {}, h('strong', {}, capital(why.message))), why.next && h('p', {}, why.next)),
    explain(why.code), again && h('button', { type: 'button', onclick: again }, 'Try again'));
}

export function waiting(lines = 4) {
  return h('div', { 'aria-hidden': 'true' }, Array.from({ length: lines }, () => h('div', { class: 'skeleton line' })));
}

export function card(title, tools, ...body) {
  return h('section', { class: 'card' }, h('header', {}, h('h2', {}, title), h('div', { class: 'row end' }, tools)), body);
}
