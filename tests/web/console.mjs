// The console in a real Chromium, beside other clients of the same node.
//
// Given by `cargo xtask test`: STEAD_BIN, STEAD_DATA, STEAD_ENDPOINT, AWS_*, WORK; SHOTS is where pictures go.

import { createReadStream, readFileSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { DESK, launch, open, until } from './browser.mjs';
import { aws, equal, finish, holds, link, stead, steadJson, step } from './harness.mjs';
import { everyPage, look } from './pages.mjs';
import { hostile } from './hostile.mjs';

const { WORK, SHOTS, STEAD_ENDPOINT } = process.env;
const first = link();
const origin = new URL(first).origin;
const browser = await launch();
const { context, page, wrong } = await open(browser, origin);

const sha256 = async (file) => {
  const hash = createHash('sha256');
  for await (const piece of createReadStream(file)) hash.update(piece);
  return hash.digest('hex');
};
const file = (name, content) => {
  const at = join(WORK, name);
  writeFileSync(at, content);
  return at;
};
const go = async (path, heading) => {
  await page.goto(origin + path);
  await page.getByRole('heading', { level: 1, name: heading, exact: true }).waitFor();
};
const row = (name) => page.locator('tbody tr', { has: page.getByRole('link', { name, exact: true }) });

await step('a link signs in once, and its secret leaves the address bar', async () => {
  await page.goto(first);
  await page.waitForURL(`${origin}/`);
  await page.getByText('Signed in as').first().waitFor();
  const second = await open(browser, origin);
  await second.page.goto(first);
  await second.page.getByText('Not signed in', { exact: false }).waitFor();
  holds(!second.page.url().includes('#'), second.page.url());
  holds(second.wrong.every((text) => /403/.test(text)), second.wrong.join('\n'));
  await second.context.close();
});

await step('an empty node teaches, and a bucket is made', async () => {
  await page.getByRole('link', { name: 'Buckets', exact: true }).first().click();
  await page.getByText('No bucket yet').waitFor();
  holds((await page.locator('pre').first().textContent()).includes(STEAD_ENDPOINT), 'the example names the endpoint');
  await page.getByRole('button', { name: 'New bucket' }).click();
  await page.getByLabel('Name').fill('photos');
  await page.getByRole('button', { name: 'Make bucket' }).click();
  await page.getByRole('heading', { level: 1, name: 'photos' }).waitFor();
  await page.getByText('Empty so far').waitFor();
});

await step('what another program stores is there at once, without a reload', async () => {
  aws('s3', 'cp', '--no-progress', file('plan.txt', 'first draft\n'), 's3://photos/plan.txt');
  await row('plan.txt').waitFor({ timeout: 5000 });
  await go('/', 'Overview');
  aws('s3', 'cp', '--no-progress', file('live.txt', 'seen live\n'), 's3://photos/live.txt');
  await page.locator('.feed').getByRole('link', { name: 'photos/live.txt' }).waitFor({ timeout: 5000 });
});

await step('files are uploaded: small ones in one piece, large ones in parts', async () => {
  await go('/bucket?b=photos', 'photos');
  const big = file('big.bin', Buffer.alloc((20 << 20) + 7, 'stead'));
  const picture = readFileSync(new URL('./picture.png', import.meta.url));
  await page.locator('input[type=file]').setInputFiles([big, file('cat.png', picture)]);
  await row('big.bin').waitFor({ timeout: 60000 });
  await row('cat.png').waitFor();
  aws('s3', 'cp', '--no-progress', 's3://photos/big.bin', join(WORK, 'big.back'));
  equal(await sha256(join(WORK, 'big.back')), await sha256(big), 'content of big.bin');
  const { events } = steadJson('history', 'photos/big.bin');
  holds(JSON.stringify(events ?? steadJson('history', 'photos/big.bin')).includes('"web"'), 'the log says that it came through the console');
});

await step('files are uploaded by dropping them', async () => {
  const transfer = await page.evaluateHandle(() => {
    const data = new DataTransfer();
    data.items.add(new File(['dropped'], 'dropped.txt', { type: 'text/plain' }));
    return data;
  });
  await page.dispatchEvent('main', 'dragover', { dataTransfer: transfer });
  await page.dispatchEvent('main', 'drop', { dataTransfer: transfer });
  await row('dropped.txt').waitFor();
  equal(stead('cat', 'photos/dropped.txt'), 'dropped', 'content');
});

await step('pictures and text are shown', async () => {
  await go('/object?b=photos&k=cat.png', 'cat.png');
  await until(() => page.locator('.preview img').evaluate((image) => image.naturalWidth > 0).catch(() => false), 'the picture');
  await go('/object?b=photos&k=plan.txt', 'plan.txt');
  await page.locator('.preview pre').getByText('first draft').waitFor();
});

await step('an older state is restored, and the history says how it got here', async () => {
  aws('s3', 'cp', '--no-progress', file('plan.txt', 'second draft\n'), 's3://photos/plan.txt');
  await go('/object?b=photos&k=plan.txt', 'plan.txt');
  await page.locator('.preview pre').getByText('second draft').waitFor();
  await page.getByRole('button', { name: /^Restore the state of/ }).first().click();
  await page.locator('.preview pre').getByText('first draft').waitFor();
  equal(stead('cat', 'photos/plan.txt'), 'first draft\n', 'content after the restore');
  const story = page.locator('section', { has: page.getByRole('heading', { name: 'How it got here' }) });
  await until(async () => (await story.locator('li').count()) === 3, 'three events');
  await story.getByRole('button', { name: /^#\d+: open/ }).first().click();
  await page.getByText('The chain holds here').waitFor();
  await page.keyboard.press('Escape');
});

await step('a CID is copied, and names the same bytes', async () => {
  await page.locator('#copy-cid').click();
  const cid = await until(() => page.evaluate(() => navigator.clipboard.readText()), 'the clipboard');
  equal(cid, steadJson('why', 'photos/plan.txt').object.cid, 'CID');
});

await step('a presigned link works without a key', async () => {
  await page.getByRole('button', { name: 'Share' }).click();
  await page.getByRole('button', { name: 'Make link' }).click();
  const url = await page.locator('#link').textContent();
  const answer = await fetch(url);
  equal(answer.status, 200, 'status');
  equal(await answer.text(), 'first draft\n', 'content');
  await page.keyboard.press('Escape');
});

await step('a bucket is made public to IPFS, and the CID is fetched there', async () => {
  const gateway = steadJson('status').endpoints.ipfs;
  const cid = steadJson('why', 'photos/plan.txt').object.cid;
  equal((await fetch(`${gateway}/ipfs/${cid}`)).status, 404, 'before');
  await go('/bucket?b=photos', 'photos');
  await page.getByRole('button', { name: 'Publish …' }).click();
  await page.getByRole('button', { name: 'Make public' }).click();
  await page.getByText('public to IPFS', { exact: true }).waitFor();
  const answer = await until(async () => {
    const tried = await fetch(`${gateway}/ipfs/${cid}`);
    return tried.status === 200 && tried;
  }, 'the gateway has it');
  equal(await answer.text(), 'first draft\n', 'content by its CID');
  await page.getByRole('button', { name: 'Withdraw' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Withdraw' }).click();
  await page.getByText('not public to IPFS').waitFor();
  await until(async () => (await fetch(`${gateway}/ipfs/${cid}`)).status === 404, 'it is withdrawn');
});

await step('the slider shows the bucket as of any moment, for reading only', async () => {
  await go('/bucket?b=photos', 'photos');
  await page.getByRole('button', { name: 'Time travel' }).click();
  const slider = page.getByRole('slider');
  await slider.focus();
  await page.keyboard.press('Home');
  await page.getByText('Nothing here at that moment').waitFor();
  // The bucket was made versioned, which is the second event; the third is the first put.
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowRight');
  await row('plan.txt').waitFor();
  equal(await page.locator('tbody tr').count(), 1, 'objects right after the first put');
  holds(await page.getByRole('button', { name: 'Upload' }).isHidden(), 'nothing can be stored in the past');
  await page.screenshot({ path: join(SHOTS, 'travel.png') });
  await row('plan.txt').getByRole('link', { name: 'plan.txt', exact: true }).click();
  await page.locator('.preview pre').getByText('first draft').waitFor();
  await page.getByText('You are looking at the past').waitFor();
  await page.goBack();
  await page.getByRole('button', { name: 'Back to now' }).click();
  await row('cat.png').waitFor();
});

await step('several are downloaded as a zip, deleted, and brought back', async () => {
  for (const name of ['plan.txt', 'dropped.txt']) await page.getByLabel(`Pick ${name}`).check();
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Download zip' }).click()]);
  const bytes = readFileSync(await download.path());
  equal(bytes.subarray(0, 2).toString(), 'PK', 'begins like a zip');
  holds(bytes.includes('plan.txt') && bytes.includes('dropped.txt'), 'both names are in it');
  await page.getByRole('button', { name: 'Delete', exact: true }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete', exact: true }).click();
  await until(async () => (await row('plan.txt').count()) === 0, 'plan.txt is gone');
  await go('/object?b=photos&k=plan.txt', 'plan.txt');
  await page.getByRole('button', { name: 'Bring back' }).click();
  await page.locator('.preview pre').getByText('first draft').waitFor();
  await page.locator('.timeline li').first().getByText('deleted a version of').waitFor();
  await go('/bucket?b=photos', 'photos');
  await page.getByLabel('Show deleted').check();
  await row('dropped.txt').getByText('deleted').waitFor();
  await page.getByRole('button', { name: 'Bring back dropped.txt' }).click();
  await row('dropped.txt').getByText('7 B').waitFor();
});

await step('the log is live, filtered, and each line proves itself', async () => {
  await go('/log?kind=object.deleted', 'Log');
  await page.locator('.feed li').first().waitFor();
  equal(await page.locator('.feed li').count(), 4, 'two deletions, and the removal of their markers');
  await go('/log', 'Log');
  await page.locator('.badge', { hasText: 'live' }).waitFor();
  aws('s3', 'cp', '--no-progress', join(WORK, 'live.txt'), 's3://photos/live-2.txt');
  await page.locator('.feed li').first().getByRole('link', { name: 'photos/live-2.txt' }).waitFor({ timeout: 5000 });
});

await step('a key is made, its secret is shown once and works, and it is revoked', async () => {
  await go('/keys', 'Keys');
  await page.getByRole('button', { name: 'New key' }).click();
  await page.getByLabel('Who or what will use it').fill('backup');
  await page.getByRole('button', { name: 'Make key' }).click();
  await page.getByText('The secret is shown this once').waitFor();
  const [access, secret] = await page.locator('dialog .cid').allTextContents();
  holds(access.length > 8 && secret.length === 40, 'both are shown');
  await page.getByRole('dialog').getByRole('button', { name: 'Close' }).click();
  await until(async () => !(await page.content()).includes(secret), 'the secret is gone from the page');
  await page.getByRole('button', { name: `Revoke the key ${access} of backup` }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
  await page.getByText(/^revoked/).waitFor();
});

await step('health is checked, and a scrub reads every block', async () => {
  await go('/health', 'Health');
  await page.getByRole('button', { name: 'Scrub now' }).click();
  await page.locator('p[role=status]').getByText('every one is what was written').waitFor({ timeout: 60000 });
  holds((await page.locator('.charts .tile').count()) >= 5, 'charts');
});

await step('a number says where it comes from, to the mouse and to the keyboard', async () => {
  await go('/', 'Overview');
  // The picture of the documents: what happened so far, and a few more buckets.
  for (const [bucket, key, size] of [['films', 'holiday.mp4', 9 << 20], ['backup', 'laptop/2026-11.tar', 14 << 20], ['notes', 'garden.md', 2048]]) {
    stead('bucket', 'create', bucket);
    stead('cp', file('some', Buffer.alloc(size, bucket)), `${bucket}/${key}`);
  }
  await page.locator('.bars li').nth(3).waitFor();
  await page.setViewportSize({ width: 1200, height: 760 });
  await page.screenshot({ path: join(SHOTS, 'console.png') });
  await page.setViewportSize(DESK);
  const number = page.locator('.tile [data-source]').first();
  await number.hover();
  await page.getByRole('tooltip').getByText('folded from the log').waitFor();
  await page.mouse.move(0, 0);
  await number.focus();
  await page.getByRole('tooltip').waitFor();
});

await step('guides are listed and read, and the one about outages says how the node is', async () => {
  await page.getByRole('link', { name: 'Guides', exact: true }).first().click();
  await page.getByRole('heading', { level: 1, name: 'Guides' }).waitFor();
  const told = steadJson('guide');
  equal(await page.locator('dl.guides a').count(), told.length, 'guides');
  await page.getByRole('link', { name: 'In an outage' }).click();
  await page.getByRole('heading', { level: 1, name: 'In an outage' }).waitFor();
  await page.getByText('leads, and writes are accepted').waitFor();
  await page.getByText('No symptom is seen from this node').waitFor();
  equal(await page.locator('article h2').first().textContent(), 'Nothing answers', 'the order where nothing is wrong');
  holds((await page.locator('article pre').first().textContent()).startsWith('$ stead node list'), 'commands are shown as they are typed');
  await page.getByRole('link', { name: 'replacing a disk' }).first().click();
  await page.getByRole('heading', { level: 1, name: 'Replacing a disk' }).waitFor();
});

await hostile({ page, origin, wrong, step });
await everyPage({ browser, context, origin, step, shots: SHOTS });

await step('the pages said nothing wrong and asked nobody else', () => holds(wrong.length === 0, wrong.join('\n')));

await step('a node that waits is let in by a click, shown with what may fail, drained, and let go', async () => {
  const ticket = stead('ticket').trim();
  const joiner = spawn(process.env.STEAD_BIN, ['up', '--data', join(WORK, 'joiner'), '--listen', '127.0.0.1:0', '--name', 'cellar', '--join', ticket, '--json'], { stdio: ['ignore', 'pipe', 'ignore'] });
  try {
    const lines = createInterface({ input: joiner.stdout })[Symbol.asyncIterator]();
    const { code } = JSON.parse((await lines.next()).value);
    await go('/cluster', 'Cluster');
    await page.getByText(code).waitFor();
    await page.getByRole('button', { name: `Let cellar in: its screen shows ${code}` }).click();
    holds(JSON.parse((await lines.next()).value).ready, 'it is ready');
    await page.mouse.click(2, 2);
    const nodes = page.locator('tbody').first().locator('tr');
    await until(async () => (await nodes.count()) === 2, 'both nodes are shown', 15000);
    await nodes.nth(1).getByText('all here').waitFor({ timeout: 20000 });
    const fails = page.locator('tr', { hasText: 'node cellar' });
    await fails.getByText('goes on').waitFor();
    await look(page, 'the cluster of two');
    await page.screenshot({ path: join(SHOTS, 'cluster.png') });
    await go('/', 'Overview');
    await page.getByText('may be lost').waitFor();
    await go('/cluster', 'Cluster');
    await page.getByRole('button', { name: 'Drain cellar' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Drain' }).click();
    await page.mouse.click(2, 2);
    await nodes.nth(1).getByText('drains').waitFor({ timeout: 10000 });
    await page.getByRole('button', { name: 'Remove cellar' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
    await page.mouse.click(2, 2);
    await until(async () => (await nodes.count()) === 1, 'one is left', 15000);
  } finally {
    joiner.kill('SIGKILL');
  }
});

await step('after sign-out the cookie is worth nothing, and its streams are over', async () => {
  const stolen = (await context.cookies()).map(({ name, value }) => `${name}=${value}`).join('; ');
  const headers = { cookie: stolen };
  equal((await fetch(`${origin}/api/v1/status`, { headers })).status, 200, 'before');
  const stream = await fetch(`${origin}/api/v1/events`, { headers });
  await go('/', 'Overview');
  await page.getByRole('button', { name: /^Sign out/ }).first().click();
  await page.getByText('Signed out').waitFor();
  equal((await fetch(`${origin}/api/v1/status`, { headers })).status, 401, 'after');
  const reader = stream.body.getReader();
  await until(async () => (await reader.read()).done, 'the stream ends');
});

await browser.close();
finish();
