// helia, put together so that it asks nobody but who is named: no bootstrap peers, no DHT, no public gateways.

import { withBitswap } from '@helia/bitswap';
import { withHTTP } from '@helia/http';
import { withLibp2pLight } from '@helia/libp2p';
import { unixfs } from '@helia/unixfs';
import { identify } from '@libp2p/identify';
import { noise } from '@libp2p/noise';
import { tcp } from '@libp2p/tcp';
import { yamux } from '@libp2p/yamux';
import { multiaddr } from '@multiformats/multiaddr';
import { createHeliaLight } from 'helia';
import { CID } from 'multiformats/cid';
import { PATIENCE_MS } from './harness.mjs';

// By HTTP: delegated routers say who has a block, gateways are asked without being named by one.
export async function byHttp(delegatedRouters, recursiveGateways) {
  const options = { delegatedRouters, recursiveGateways, allowInsecure: true, allowLocal: true };
  return withHTTP(createHeliaLight(), options).start();
}

// By Bitswap, connected to these peers.
export async function byBitswap(...peers) {
  const helia = await withBitswap(
    withLibp2pLight(createHeliaLight(), {
      addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
      transports: [tcp()],
      connectionEncrypters: [noise()],
      streamMuxers: [yamux()],
      services: { identify: identify() },
    }),
  ).start();
  for (const peer of peers) await helia.libp2p.dial(multiaddr(peer), { signal: AbortSignal.timeout(PATIENCE_MS) });
  return helia;
}

// A file below a root, whole.
export async function cat(helia, root, path, patience = PATIENCE_MS) {
  const chunks = [];
  const options = { signal: AbortSignal.timeout(patience), ...(path ? { path } : {}) };
  for await (const chunk of unixfs(helia).cat(CID.parse(root), options)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

// The names and CIDs in a directory below a root.
export async function ls(helia, root, path) {
  const found = new Map();
  const options = { signal: AbortSignal.timeout(PATIENCE_MS), ...(path ? { path } : {}) };
  for await (const entry of unixfs(helia).ls(CID.parse(root), options)) found.set(entry.name, entry.cid.toString());
  return found;
}
