// Chromium, watched: what the console's pages say in error, and whom they ask.
// Promises: a console error, a page error, a request to another host and a request that is refused by the
// Content-Security-Policy are kept, and fail the test that looks.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

export const PHONE = { width: 320, height: 640 };
export const DESK = { width: 1280, height: 860 };

export async function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--force-color-profile=srgb'],
  });
}

// For whoever works on the pages: ASSETS=gateways/web/assets takes scripts and styles from there, so that
// nothing has to be built between two looks.
async function fromDisk(context) {
  const types = { js: 'text/javascript', css: 'text/css' };
  await context.route(/\/assets\/[0-9a-f]+\//, (route) => {
    const name = new URL(route.request().url()).pathname.split('/').slice(3).join('/');
    route.fulfill({ body: readFileSync(join(process.env.ASSETS, name)), contentType: types[name.split('.').pop()] });
  });
}

// A window of its own, with what went wrong in it. `expected` are patterns of messages that belong to a test.
export async function open(browser, origin, { theme = 'light', viewport = DESK } = {}) {
  const context = await browser.newContext({ viewport, colorScheme: theme, acceptDownloads: true, reducedMotion: 'reduce' });
  await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin });
  if (process.env.ASSETS) await fromDisk(context);
  context.setDefaultTimeout(15000);
  const page = await context.newPage();
  const wrong = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || /Content Security Policy/.test(message.text())) wrong.push(`console: ${message.text()} (${message.location().url})`);
  });
  page.on('pageerror', (error) => wrong.push(`page: ${error.message}`));
  page.on('dialog', (dialog) => {
    wrong.push(`a script of somebody else's ran: ${dialog.message()}`);
    dialog.dismiss();
  });
  context.on('request', (request) => {
    const { origin: asked, protocol } = new URL(request.url());
    if (asked !== origin && !['blob:', 'data:'].includes(protocol)) wrong.push(`a request to ${request.url()}`);
  });
  return { context, page, wrong };
}

// Until `check` answers something true; its last answer is in the error.
export async function until(check, what, timeout = 10000) {
  const end = Date.now() + timeout;
  let last;
  while (Date.now() < end) {
    last = await check();
    if (last) return last;
    await new Promise((resolve) => { setTimeout(resolve, 50); });
  }
  throw new Error(`${what}: not within ${timeout} ms (${last})`);
}
