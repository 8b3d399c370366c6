// Events as sentences, with links to what they are about, and the line itself with its proof.

import { get, path } from './api.js';
import { h, icon } from './dom.js';
import { bytes, clock, moment, through } from './format.js';
import { cidText, dialog, failed, waiting } from './ui.js';
import { put } from './dom.js';

export const bucketUrl = (bucket, prefix = '', at = '') => `/bucket?${new URLSearchParams({ b: bucket, ...(prefix && { p: prefix }), ...(at && { at }) })}`;
export const objectUrl = (bucket, key, at = '') => `/object?${new URLSearchParams({ b: bucket, k: key, ...(at && { at }) })}`;

const object = (body) => h('a', { href: objectUrl(body.bucket, body.key) }, `${body.bucket}/${body.key}`);
const bucket = (body) => h('a', { href: bucketUrl(body.bucket) }, body.bucket);

function what(event) {
  const body = event.body ?? {};
  switch (event.kind) {
    case 'object.put':
      if (body.source?.split('?versionId=')[0] === `${body.bucket}/${body.key}`) return ['restored an older state of ', object(body), ` (${bytes(body.size)})`];
      if (body.source) return ['copied ', body.source, ' to ', object(body), ` (${bytes(body.size)})`];
      return ['put ', object(body), ` (${bytes(body.size)})`];
    case 'object.deleted': return [body.version ? 'deleted a version of ' : 'deleted ', object(body)];
    case 'object.tagged': return ['tagged ', object(body)];
    case 'object.granted': return ['changed who may use ', object(body)];
    case 'object.retained': return ['set the retention of ', object(body)];
    case 'object.held': return [body.hold ? 'put a legal hold on ' : 'lifted the legal hold of ', object(body)];
    case 'bucket.created': return ['made bucket ', bucket(body)];
    case 'bucket.deleted': return ['deleted bucket ', h('strong', {}, body.bucket)];
    case 'bucket.versioned': return ['turned versioning ', body.state === 'enabled' ? 'on' : body.state === 'suspended' ? 'off (suspended)' : 'off', ' for ', bucket(body)];
    case 'bucket.configured': return [body.document ? 'set ' : 'removed ', h('strong', {}, body.name), ' of ', bucket(body)];
    case 'upload.started': return ['began to upload ', object(body)];
    case 'upload.part': return [`sent part ${body.number} of `, object(body), ` (${bytes(body.size)})`];
    case 'upload.aborted': return ['gave up an upload of ', object(body)];
    case 'key.created': return ['made access key ', h('code', {}, body.access_key), ` for ${body.name}`];
    case 'key.revoked': return ['revoked access key ', h('code', {}, body.access_key)];
    case 'node.started': return ['opened this log for the first time, release ', body.release];
    case 'log.sealed': return [`sealed positions ${body.first} to ${body.last} of the log of ${body.tenant}`];
    case 'ext': return ['wrote an event of ', h('strong', {}, body.owner)];
    default: return [event.kind];
  }
}

// Who did what, through what.
export function sentence(event) {
  const via = event.body?.via?.protocol;
  return [h('strong', {}, event.actor), ' ', what(event), via ? h('span', { class: 'quiet' }, ` through ${through(via)}`) : null];
}

// An item of a feed, which opens as the line it is.
export function feedItem({ position, cid, line }, fresh = false) {
  return h('li', { class: fresh ? 'fresh' : '' },
    h('time', { dateTime: line.at, title: moment(line.at) }, clock(line.at)),
    h('div', {}, sentence(line)),
      h('button', { class: 'plain small quiet', type: 'button', 'aria-label': `#${position}: open the line with its proof`, onclick: () => proof(position, { cid, line }) }, `#${position}`));
}

function proven(answer) {
  const fine = answer.prev_ok !== false && answer.proof?.next_ok !== false;
  const rows = [
    ['Position', String(answer.position)],
    ['CID', cidText(answer.cid, 'CID of the line')],
    ['Follows', answer.proof?.previous ? cidText(answer.proof.previous, 'CID of the line before') : 'nothing: it is the first'],
    ['SHA-256', answer.proof?.sha256 ? h('span', { class: 'cid' }, answer.proof.sha256) : null],
    ['File', answer.proof?.place ? `${answer.proof.place.file}, line ${answer.proof.place.line}` : null],
    ['End of log', answer.proof?.head?.cid ? h('span', {}, `position ${answer.proof.head.position} `, h('span', { class: 'cid' }, answer.proof.head.cid)) : null],
  ];
  return [
    h('p', { class: 'row tight' }, h('span', { class: fine ? 'badge on' : 'badge bad' }, icon(fine ? 'good' : 'bad'), fine ? 'The chain holds here' : 'The chain is broken here'),
      h('span', { class: 'quiet' }, 'This line hashes to its CID, and names the line before it.')),
    h('dl', { class: 'facts' }, rows.filter(([, value]) => value).map(([name, value]) => [h('dt', {}, name), h('dd', {}, value)])),
    answer.proof?.check ? [h('p', { class: 'quiet' }, 'Check it by hand; this prints the SHA-256 above:'), h('pre', { class: 'line', tabindex: '0' }, answer.proof.check)] : null,
    h('p', { class: 'quiet' }, 'The line, byte for byte:'),
    h('pre', { class: 'line', tabindex: '0' }, answer.text ?? JSON.stringify(answer.line)),
  ];
}

// The line at a position, its CID, and what proves its place.
export async function proof(position, known) {
  const body = h('div', { class: 'stack' }, known ? h('p', {}, sentence(known.line)) : null, waiting(3));
  dialog(`Line ${position} of the log`, body, [], true);
  try {
    const answer = await get(path('log', String(position)));
    put(body, h('p', {}, sentence(answer.line), h('br'), h('span', { class: 'quiet' }, moment(answer.line.at))), proven(answer));
  } catch (why) {
    put(body, failed(why), known ? [h('dl', { class: 'facts' }, h('dt', {}, 'CID'), h('dd', {}, cidText(known.cid))), h('pre', { class: 'line', tabindex: '0' }, JSON.stringify(known.line, null, 1))] : null);
  }
}
