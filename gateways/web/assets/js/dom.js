// Elements from data. Text goes in as text nodes, never as markup: this file is the only one that makes
// elements, and it has no way to parse HTML.

const SVG = 'http://www.w3.org/2000/svg';

function add(parent, children) {
  for (const child of children) {
    if (child === null || child === undefined || child === false) continue;
    if (Array.isArray(child)) add(parent, child);
    else parent.append(child instanceof Node ? child : String(child));
  }
  return parent;
}

// Properties: `on…` are listeners, `data` is the dataset, `class` and everything with a dash is an attribute,
// the rest is set on the element itself where it knows it.
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (name === 'data') Object.assign(element.dataset, value);
    else if (name !== 'class' && name !== 'list' && !name.includes('-') && name in element) element[name] = value;
    else element.setAttribute(name, value === true ? '' : value);
  }
  return add(element, children);
}

export function s(tag, props = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(props)) element.setAttribute(name, value);
  return add(element, children);
}

export function put(parent, ...children) {
  parent.replaceChildren();
  return add(parent, children);
}

const ICONS = {
  overview: 'M3 12l9-8 9 8M5 10v10h14V10M10 20v-6h4v6',
  buckets: 'M4 7c0-1.7 3.6-3 8-3s8 1.3 8 3-3.6 3-8 3-8-1.3-8-3zM4 7l1.5 11c.2 1.5 3 2.5 6.5 2.5s6.3-1 6.5-2.5L20 7',
  log: 'M5 4h14v16H5zM9 8h6M9 12h6M9 16h4',
  keys: 'M15 9a4 4 0 1 1-4-4 4 4 0 0 1 4 4zM13.5 12l6.5 7M17 15.5l2-2M19.5 18.5l1.5-1.5',
  cluster: 'M4 4h6v6H4zM14 4h6v6h-6zM9 14h6v6H9zM7 10l4 4M17 10l-4 4',
  health: 'M3 12h4l2.5-6 4.5 12 2.5-6H21',
  guides: 'M5 4h9a4 4 0 0 1 4 4v12H8a3 3 0 0 1-3-3zM5 17a3 3 0 0 1 3-3h10',
  folder: 'M3 6h6l2 2.5h10V19H3z',
  file: 'M6 3h8l4 4v14H6zM14 3v4h4',
  warn: 'M12 4l9 16H3zM12 10v4.5M12 17.2v.1',
  info: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 11v5.5M12 7.7v.1',
  good: 'M4 12.5l5 5L20 7',
  bad: 'M6 6l12 12M18 6L6 18',
  copy: 'M9 9h11v11H9zM5 15H4V4h11v1',
  upload: 'M12 16V4M7 9l5-5 5 5M4 16v4h16v-4',
  download: 'M12 4v12M7 11l5 5 5-5M4 16v4h16v-4',
  trash: 'M4 7h16M9 7V4h6v3M6 7l1 13h10l1-13',
  share: 'M14 5h5v5M19 5l-8 8M17 13v6H5V7h6',
  clock: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 7v5l3.5 2',
  back: 'M4 10h11a5 5 0 0 1 0 10h-4M4 10l4-4M4 10l4 4',
  plus: 'M12 5v14M5 12h14',
  globe: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM3 12h18M12 3c5 5.5 5 12.5 0 18M12 3c-5 5.5-5 12.5 0 18',
  sun: 'M12 16.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9zM12 2.5v2M12 19.5v2M2.5 12h2M19.5 12h2M5.3 5.3l1.4 1.4M17.3 17.3l1.4 1.4M5.3 18.7l1.4-1.4M17.3 6.7l1.4-1.4',
  out: 'M10 4H5v16h5M15 8l4 4-4 4M9 12h10',
  lock: 'M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3',
};

export function icon(name) {
  return s('svg', { class: 'icon', viewBox: '0 0 24 24', 'aria-hidden': 'true', focusable: 'false' }, s('path', { d: ICONS[name] ?? '' }));
}
