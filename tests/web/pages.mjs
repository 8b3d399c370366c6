// Every page in both themes, on a desk and on a phone: a picture, and axe-core's opinion of it.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { DESK, PHONE, open, until } from './browser.mjs';
import { holds } from './harness.mjs';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const PAGES = {
  overview: '/',
  buckets: '/buckets',
  bucket: '/bucket?b=photos',
  object: '/object?b=photos&k=cat.png',
  history: '/object?b=photos&k=plan.txt',
  log: '/log',
  keys: '/keys',
  cluster: '/cluster',
  health: '/health',
  guides: '/guides',
  outage: '/guides?g=outage',
  table: '/guides?g=network-and-security-basics',
};
const SERIOUS = new Set(['serious', 'critical']);

async function settled(page) {
  await page.getByRole('heading', { level: 1 }).waitFor();
  await until(async () => (await page.locator('.skeleton').count()) === 0, 'everything is loaded', 20000);
  await page.waitForTimeout(150);
}

export async function look(page, name) {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
  const bad = violations.filter(({ impact }) => SERIOUS.has(impact));
  const told = bad.map(({ id, help, nodes }) => `${id}: ${help}\n  ${nodes.slice(0, 4).map((node) => `${node.html.slice(0, 160)} – ${node.failureSummary?.split('\n').slice(1).join(' ')}`).join('\n  ')}`);
  holds(!bad.length, `${name}:\n${told.join('\n')}`);
}

export async function everyPage({ browser, context, origin, step, shots }) {
  const cookies = await context.cookies();
  for (const theme of ['light', 'dark']) {
    for (const [place, viewport] of Object.entries({ desk: DESK, phone: PHONE })) {
      await step(`every page can be used by everybody: ${theme}, ${place}`, async () => {
        const own = await open(browser, origin, { theme, viewport });
        await own.context.addCookies(cookies);
        for (const [name, path] of Object.entries(PAGES)) {
          await own.page.goto(origin + path);
          await settled(own.page);
          await look(own.page, name);
          const wide = await own.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
          holds(wide <= 0, `${name} is ${wide} pixels wider than the window`);
          await own.page.screenshot({ path: join(shots, `${name}-${theme}-${place}.png`), fullPage: place === 'phone' });
        }
        holds(!own.wrong.length, own.wrong.join('\n'));
        await own.context.close();
      });
    }
  }
  await step('the sign-in page, too', async () => {
    const own = await open(browser, origin);
    await own.page.goto(`${origin}/signin`);
    await look(own.page, 'signin');
    await own.page.screenshot({ path: join(shots, 'signin.png') });
    await own.context.close();
  });
  await step('the keyboard alone reaches a bucket and its objects', async () => {
    const own = await open(browser, origin);
    await own.context.addCookies(cookies);
    await own.page.goto(`${origin}/buckets`);
    await settled(own.page);
    await own.page.keyboard.press('Tab');
    holds(await own.page.evaluate(() => document.activeElement.classList.contains('skip')), 'the first stop skips to the content');
    await own.page.keyboard.press('Enter');
    for (let stop = 0; stop < 40; stop += 1) {
      await own.page.keyboard.press('Tab');
      if (await own.page.evaluate(() => document.activeElement.textContent.trim() === 'photos')) break;
    }
    await own.page.keyboard.press('Enter');
    await own.page.getByRole('heading', { level: 1, name: 'photos' }).waitFor();
    await own.context.close();
  });
}
