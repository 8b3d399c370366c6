// A sequence of steps over one node, counted; the node's command line; and what it was given to publish.

import { execFile, execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

let passed = 0;
let failed = 0;

// Whatever hangs is a failure, not a test that never ends.
export const PATIENCE_MS = 30_000;
// A client that is refused by everybody gives up no later than this.
export const REFUSED_MS = 5_000;

// A step that fails does not end the run: what comes later says more about why.
export async function step(name, work) {
  const begin = Date.now();
  let timer;
  const late = new Promise((_, no) => {
    timer = setTimeout(() => no(new Error(`not done after ${2 * PATIENCE_MS} ms`)), 2 * PATIENCE_MS);
  });
  try {
    await Promise.race([work(), late]);
    passed += 1;
    console.log(`ok      ${name} (${Date.now() - begin} ms)`);
  } catch (why) {
    failed += 1;
    console.log(`FAILED  ${name}\n${why.stack ?? why}`);
  } finally {
    clearTimeout(timer);
  }
}

export function finish() {
  console.log(`test result: ${failed ? 'FAILED' : 'ok'}. ${passed} passed; ${failed} failed`);
  process.exit(failed ? 1 : 0);
}

export function equal(got, wanted, what = 'value') {
  if (got !== wanted) throw new Error(`${what}: ${JSON.stringify(got)}, not ${JSON.stringify(wanted)}`);
}

export function holds(truth, what) {
  if (!truth) throw new Error(what);
}

// The error of work that has to fail.
export async function fails(work, what) {
  try {
    await work;
  } catch (why) {
    return why;
  }
  throw new Error(`${what}: it did not fail`);
}

export const stead = (...args) =>
  execFileSync(process.env.STEAD_BIN, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
export const steadJson = (...args) => JSON.parse(stead(...args, '--json'));
// The same while this process goes on answering: its status, and both its outputs as bytes.
export function beside(...args) {
  return new Promise((done) => {
    const options = { encoding: 'buffer', maxBuffer: 64 << 20, timeout: PATIENCE_MS };
    execFile(process.env.STEAD_BIN, args, options, (why, stdout, stderr) => {
      done({ ok: why === null, stdout, stderr: stderr.toString() });
    });
  });
}
export const digest = (bytes) => createHash('sha256').update(bytes).digest('hex');

// Names that a client may get wrong, a file of many blocks, and a directory that is sharded.
export const FILES = new Map([
  ['hello.txt', Buffer.from('hello, world\n')],
  ['empty', Buffer.alloc(0)],
  ['films/long.bin', randomBytes(5 * 1024 * 1024 + 17)],
  ['films/ü and 50% #?.txt', Buffer.from('a name with everything\n')],
]);
for (let n = 0; n < 6_000; n += 1) FILES.set(`many/${String(n).padStart(5, '0')}-padding-that-makes-it-long.txt`, Buffer.from(`${n}\n`));

// Stores all of them in a bucket and lets everybody have it: the root of its directory.
export function publish(bucket) {
  const directory = join(process.env.WORK, bucket);
  for (const [name, bytes] of FILES) {
    const file = join(directory, name);
    mkdirSync(join(file, '..'), { recursive: true });
    writeFileSync(file, bytes);
  }
  stead('bucket', 'create', bucket);
  stead('cp', '-r', `${directory}/`, `${bucket}/`);
  return steadJson('ipfs', 'publish', bucket).cid;
}
