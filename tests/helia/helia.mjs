// An independent IPFS implementation fetches what is public, by both ways, and believes nothing.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CID } from 'multiformats/cid';
import { sha256 } from 'multiformats/hashes/sha2';
import { byBitswap, byHttp, cat, ls } from './clients.mjs';
import { unixfs } from '@helia/unixfs';
import { FILES, REFUSED_MS, beside, digest, equal, fails, finish, holds, publish, stead, steadJson, step } from './harness.mjs';
import { flipped, nobody, proxy } from './proxy.mjs';

const { endpoints } = steadJson('status');
const gateway = endpoints.ipfs;
const peer = endpoints.bitswap;
const root = publish('public');
const LONG = 'films/long.bin';
const film = steadJson('ls', 'public/films/').objects.find((object) => object.key.endsWith('long.bin')).cid;
stead('bucket', 'create', 'private');
const secret = join(process.env.WORK, 'secret.txt');
writeFileSync(secret, 'nobody else is to read this\n');
stead('cp', secret, 'private/secret.txt');
const hidden = steadJson('ls', 'private/').objects[0].cid;

// Everything that a client can see of the bucket, compared with what was put there.
async function whole(helia) {
  for (const [name, bytes] of FILES) {
    if (name.startsWith('many/') && !name.includes('777')) continue;
    equal(digest(await cat(helia, root, name)), digest(bytes), name);
  }
  const top = await ls(helia, root);
  equal([...top.keys()].sort().join(), 'empty,films,hello.txt,many', 'the root');
  const many = await ls(helia, root, 'many');
  equal(many.size, [...FILES.keys()].filter((name) => name.startsWith('many/')).length, 'entries of the sharded directory');
}

await step(`Node ${process.versions.node} is one that helia takes`, async () => {
  holds(Number(process.versions.node.split('.')[0]) >= 22, 'helia needs Node 22');
  holds(peer?.startsWith('/ip4/127.0.0.1/tcp/'), `no Bitswap address in ${JSON.stringify(endpoints)}`);
});

await step('trustless gateway, found by delegated routing', async () => {
  const helia = await byHttp([gateway], []);
  await whole(helia);
  await helia.stop();
});

await step('trustless gateway, named', async () => {
  const router = await nobody();
  const helia = await byHttp([router.url], [gateway]);
  await whole(helia);
  await helia.stop();
  router.stop();
});

await step('a proxy that changes nothing changes nothing', async () => {
  const honest = await proxy(gateway, (_, body) => body);
  const helia = await byHttp([honest.url], []);
  equal(digest(await cat(helia, root, LONG)), digest(FILES.get(LONG)));
  holds(honest.seen.filter((path) => path.startsWith('/ipfs/')).length > 5, 'the proxy was not asked');
  await helia.stop();
  honest.stop();
});

for (const [what, victim] of [['the root', root], ["a file's node", film]]) {
  await step(`a flipped bit in ${what} is refused`, async () => {
    const lying = await proxy(gateway, flipped(victim));
    const helia = await byHttp([lying.url], []);
    await fails(cat(helia, root, LONG, REFUSED_MS), 'a changed block');
    holds(lying.seen.some((path) => path.startsWith(`/ipfs/${victim}`)), 'the changed block was never asked for');
    holds(!(await helia.blockstore.has(CID.parse(victim))), 'the changed block was kept');
    await helia.stop();
    lying.stop();
  });
}

await step('flipped bits in leaves are refused, and whoever is honest is asked instead', async () => {
  const changed = new Set();
  const change = (path, body) => {
    if (!path.startsWith('/ipfs/') || body.length < 256 << 10) return body;
    changed.add(path);
    return flipped(path)(path, body);
  };
  const lying = await proxy(gateway, change);
  const alone = await byHttp([lying.url], []);
  await fails(cat(alone, root, LONG, REFUSED_MS), 'a changed leaf');
  holds(changed.size > 0, 'no leaf was changed');
  await alone.stop();
  changed.clear();
  // The liar is the first to be found.
  const slow = await proxy(gateway, (_, body) => body, 50);
  const both = await byHttp([lying.url, slow.url], []);
  equal(digest(await cat(both, root, LONG)), digest(FILES.get(LONG)));
  holds(changed.size > 0, 'the liar was not asked');
  await both.stop();
  lying.stop();
  slow.stop();
});

await step('what is not public is not to be had by HTTP', async () => {
  const helia = await byHttp([gateway], []);
  await fails(cat(helia, hidden, undefined, REFUSED_MS), 'a block that is not public');
  await helia.stop();
});

await step('Bitswap', async () => {
  const helia = await byBitswap(peer);
  await whole(helia);
  await helia.stop();
});

await step('what is not public is not to be had by Bitswap', async () => {
  const helia = await byBitswap(peer);
  await fails(cat(helia, hidden, undefined, REFUSED_MS), 'a block that is not public');
  await helia.stop();
});

await step('a peer that lies is believed neither by helia nor by Stead', async () => {
  const liar = await byBitswap();
  const wanted = CID.createV1(0x55, await sha256.digest(Buffer.from('nobody has this')));
  await liar.blockstore.put(wanted, Buffer.from('these bytes are of another CID'));
  const address = liar.libp2p.getMultiaddrs()[0].toString();
  const helia = await byBitswap(address);
  await fails(cat(helia, wanted.toString(), undefined, REFUSED_MS), 'a block that is another');
  await helia.stop();
  const told = await beside('ipfs', 'pin', wanted.toString(), 'private/lie', '--from', address);
  holds(!told.ok && /STEAD-0307.* not its bytes/s.test(told.stderr), told.stderr);
  equal(steadJson('ls', 'private/').objects.length, 1, 'objects after a lie');
  await liar.stop();
});

await step('Stead fetches from helia what helia made', async () => {
  const maker = await byBitswap();
  const bytes = FILES.get('films/long.bin').subarray(0, 3 << 20);
  const made = (await unixfs(maker).addBytes(bytes)).toString();
  const address = maker.libp2p.getMultiaddrs()[0].toString();
  const done = await beside('ipfs', 'pin', made, 'private/pinned', '--from', address);
  holds(done.ok, done.stderr);
  equal(digest((await beside('cat', 'private/pinned')).stdout), digest(bytes));
  await maker.stop();
});

finish();
