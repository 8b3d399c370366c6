// A sequence of steps over one node, counted; and the node's own command line.

import { execFileSync, spawnSync } from 'node:child_process';

let passed = 0;
let failed = 0;

// A step that fails does not end the run: what comes later says more about why.
export async function step(name, work) {
  const begin = Date.now();
  try {
    await work();
    passed += 1;
    console.log(`ok      ${name} (${Date.now() - begin} ms)`);
  } catch (why) {
    failed += 1;
    console.log(`FAILED  ${name}\n${why.stack ?? why}`);
  }
}

export function finish() {
  console.log(`test result: ${failed ? 'FAILED' : 'ok'}. ${passed} passed; ${failed} failed`);
  process.exitCode = failed ? 1 : 0;
}

export function equal(got, wanted, what = 'value') {
  if (got !== wanted) throw new Error(`${what}: ${JSON.stringify(got)}, not ${JSON.stringify(wanted)}`);
}

export function holds(truth, what) {
  if (!truth) throw new Error(what);
}

export const stead = (...args) => execFileSync(process.env.STEAD_BIN, args, { encoding: 'utf8' });
export const steadJson = (...args) => JSON.parse(stead(...args, '--json'));
export const link = () => steadJson('console').url;

// Another program, with the variables of the test run: an S3 client that knows nothing of the console.
export function aws(...args) {
  const done = spawnSync('aws', ['--endpoint-url', process.env.STEAD_ENDPOINT, ...args], { encoding: 'utf8' });
  if (done.status !== 0) throw new Error(`aws ${args.join(' ')}: ${done.stderr}`);
  return done.stdout;
}
