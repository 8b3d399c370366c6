// The frame: which page is shown, the theme, who is signed in.

import { session, signOut } from './api.js';
import { h, icon, put } from './dom.js';
import { short } from './format.js';
import { attempt, failed, say, tooltips } from './ui.js';

const PAGES = {
  '/': ['overview', 'Overview'],
  '/buckets': ['buckets', 'Buckets'],
  '/bucket': ['buckets', 'Bucket', 'bucket'],
  '/object': ['buckets', 'Object', 'object'],
  '/log': ['log', 'Log'],
  '/keys': ['keys', 'Keys'],
  '/cluster': ['cluster', 'Cluster'],
  '/health': ['health', 'Health'],
  '/guides': ['guides', 'Guides'],
};

const main = document.getElementById('main');
let leave = new AbortController();
export const who = session();

async function show(moved) {
  leave.abort();
  leave = new AbortController();
  const { signal } = leave;
  const [section, title, file = section] = PAGES[location.pathname] ?? PAGES['/'];
  for (const link of document.querySelectorAll('#nav a')) {
    if (link.dataset.page === section) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  document.title = `${title} · Stead`;
  try {
    const page = await import(`./pages/${file}.js`);
    const me = await who;
    if (signal.aborted) return;
    if (!me.user) {
      location.assign('/signin');
      return;
    }
    const root = h('div', { class: 'stack' });
    const context = { root, signal, params: new URLSearchParams(location.search), go, me, title: (text) => { document.title = `${text} · Stead`; } };
    put(main, root);
    await page.default(context);
    if (moved && !signal.aborted) {
      main.focus({ preventScroll: true });
      say(document.title.replace(' · Stead', ''));
    }
  } catch (why) {
    if (!signal.aborted && why.name !== 'AbortError') put(main, h('h1', {}, title), failed(why, () => show()));
  }
}

export function go(url, { replace = false } = {}) {
  history[replace ? 'replaceState' : 'pushState'](null, '', url);
  if (!replace) scrollTo(0, 0);
  return show(true);
}

document.addEventListener('click', (event) => {
  const link = event.target instanceof Element && event.target.closest('a[href]');
  if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey) return;
  if (link.origin !== location.origin || link.hasAttribute('download') || link.target || !(link.pathname in PAGES) || link.hash) return;
  event.preventDefault();
  go(link.pathname + link.search);
});
addEventListener('popstate', () => show(true));

function theme(wanted) {
  if (wanted) document.documentElement.dataset.theme = wanted;
  else delete document.documentElement.dataset.theme;
  try {
    if (wanted) localStorage.setItem('theme', wanted);
    else localStorage.removeItem('theme');
  } catch { /* storage may be off; the page still changes */ }
}

function themeNow() {
  return document.documentElement.dataset.theme ?? (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light');
}

function controls(me, labelled) {
  const switchTheme = () => {
    theme(themeNow() === 'dark' ? 'light' : 'dark');
    say(`${themeNow()} colours`);
  };
  return [
    h('button', { type: 'button', class: 'plain small', 'aria-label': 'Dark or light colours', title: 'Dark or light colours', onclick: switchTheme }, icon('sun'), labelled && 'Colours'),
    h('button', { type: 'button', class: 'plain small', 'aria-label': `Sign out ${me.user}`, title: 'Sign out', onclick: () => attempt(signOut) }, icon('out'), labelled && 'Sign out'),
  ];
}

async function frame() {
  for (const link of document.querySelectorAll('#nav a')) link.prepend(icon(link.dataset.page));
  tooltips();
  const me = await who;
  if (!me.user) return;
  put(document.getElementById('foot'),
    h('div', {}, 'Signed in as ', h('strong', {}, me.user)),
    h('div', { class: 'mono', title: me.node }, short(me.node)),
    h('div', { class: 'row' }, controls(me, false)));
  // On a phone the side is a bar of pages; the rest stands below the page.
  const below = h('div', { class: 'row phone-foot' }, h('span', { class: 'quiet' }, `Signed in as ${me.user}`), controls(me, true));
  document.getElementById('main').after(h('footer', { class: 'below' }, below));
}

try {
  const kept = localStorage.getItem('theme');
  if (kept === 'dark' || kept === 'light') document.documentElement.dataset.theme = kept;
} catch { /* as the system says, then */ }
show(false);
frame().catch(() => {});
