// Names, metadata and content that want to be more than that.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { aws, equal, holds } from './harness.mjs';
import { until } from './browser.mjs';

const SCRIPT = '<img src=x onerror=alert(1)><script>alert(2)</script>';
const KEYS = [`${SCRIPT}.txt`, '"><svg onload=alert(3)>', "a'b\"c&d;e.txt", 'a/%2e%2e/b.txt', 'ünï 日本 🎉.txt', 'javascript:alert(4)', '{{constructor}}', 'a?b#c.txt', 'double//slash.txt'];

export async function hostile({ page, origin, wrong, step }) {
  const put = (key, extra = []) => aws('s3api', 'put-object', '--bucket', 'hostile', '--key', key, '--body', join(process.env.WORK, 'evil.html'), ...extra);

  await step('names and metadata that are markup stay text', async () => {
    writeFileSync(join(process.env.WORK, 'evil.html'), `<!doctype html>${SCRIPT}<svg onload="alert(5)">`);
    aws('s3', 'mb', 's3://hostile');
    for (const key of KEYS) put(key, ['--metadata', 'note=<script>alert(6)</script>', '--content-type', 'text/html']);
    await page.goto(`${origin}/bucket?b=hostile`);
    await page.getByRole('link', { name: KEYS[1], exact: true }).waitFor();
    await page.getByRole('link', { name: '<img src=x onerror=alert(1)><script>alert(2)</', exact: true }).waitFor();
    for (const key of KEYS) {
      await page.goto(`${origin}/object?${new URLSearchParams({ b: 'hostile', k: key })}`);
      await page.locator('.preview pre').getByText('alert(5)').waitFor();
      await page.getByText('<script>alert(6)</script>').waitFor();
    }
    await page.goto(`${origin}/log`);
    await page.locator('.feed li').first().waitFor();
    equal(await page.locator('main script, main svg[onload], main img[src=x]').count(), 0, 'elements made of names');
  });

  await step('stored pages and drawings are downloads, even when they are opened by themselves', async () => {
    put('page.svg', ['--content-type', 'image/svg+xml']);
    for (const key of [KEYS[1], 'page.svg']) {
      const url = `${origin}/api/v1/objects/hostile/${encodeURIComponent(key)}`;
      const [download] = await Promise.all([page.waitForEvent('download'), page.evaluate((to) => { location.href = to; }, url)]);
      holds(await download.path(), 'it is a download');
    }
  });

  await step('another origin on this machine can neither read nor change anything', async () => {
    const before = wrong.length;
    const other = origin.replace('127.0.0.1', 'localhost');
    const answer = await page.request.fetch(`${origin}/api/v1/status`, { headers: { 'sec-fetch-site': 'same-site', origin: other } });
    equal(answer.status(), 403, 'status');
    const rebound = await page.request.fetch(`${origin}/`, { headers: { host: 'evil.example' } });
    equal(rebound.status(), 421, 'status of another host name');
    await until(() => wrong.length === before, 'nothing ran', 1000);
  });
}
