// How long the overview takes to be painted, and what it transfers, with nothing cached: one JSON line.

import { launch } from './browser.mjs';
import { link } from './harness.mjs';

const ROUNDS = Number(process.env.ROUNDS ?? 9);
const first = link();
const { origin } = new URL(first);
const browser = await launch();
const door = await browser.newContext();
const page = await door.newPage();
await page.goto(first);
await page.waitForURL(`${origin}/`);
const cookies = await door.cookies();
await door.close();

const paints = [];
const complete = [];
const transfers = [];
const requests = [];
for (let round = 0; round < ROUNDS; round += 1) {
  const context = await browser.newContext();
  await context.addCookies(cookies);
  const fresh = await context.newPage();
  const wire = await context.newCDPSession(fresh);
  await wire.send('Network.enable');
  let bytes = 0;
  let asked = 0;
  wire.on('Network.requestWillBeSent', () => { asked += 1; });
  // Heads and bodies as they came over the connection.
  wire.on('Network.loadingFinished', ({ encodedDataLength }) => { bytes += encodedDataLength; });
  await fresh.goto(`${origin}/`, { waitUntil: 'load' });
  await fresh.locator('.tile .big').first().waitFor();
  const seen = await fresh.evaluate(() => ({
    paint: performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? NaN,
    filled: performance.now(),
  }));
  await fresh.waitForTimeout(300);
  paints.push(seen.paint);
  complete.push(seen.filled);
  transfers.push(bytes);
  requests.push(asked);
  await context.close();
}
await browser.close();

const sorted = (values) => [...values].sort((a, b) => a - b);
const summary = (values) => ({ median: sorted(values)[Math.floor(values.length / 2)], worst: sorted(values).at(-1) });
console.log(JSON.stringify({ rounds: ROUNDS, paint_ms: summary(paints), filled_ms: summary(complete), transfer_bytes: summary(transfers), requests: summary(requests), browser: browser.version() }));
