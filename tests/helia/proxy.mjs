// A gateway before the node's: what passes it may come out changed.

import { createServer, request } from 'node:http';

// Sends everything on to `target`, a little later where that is asked for. `change` is given the path and the
// body, and answers the body. The host stays, so that the node names this address as the one to ask.
export async function proxy(target, change, delay_ms = 0) {
  const seen = [];
  const server = createServer((incoming, outgoing) => {
    seen.push(incoming.url);
    const on = request(new URL(incoming.url, target), { method: incoming.method, headers: incoming.headers }, (answer) => {
      const chunks = [];
      answer.on('data', (chunk) => chunks.push(chunk));
      answer.on('end', () => {
        outgoing.writeHead(answer.statusCode, answer.headers);
        outgoing.end(change(incoming.url, Buffer.concat(chunks)));
      });
    });
    on.on('error', () => outgoing.destroy());
    setTimeout(() => on.end(), delay_ms);
  });
  return { ...(await listening(server)), seen };
}

// A router that knows nobody: helia searches for ever where it is given no router at all.
export const nobody = () => listening(createServer((_, outgoing) => outgoing.writeHead(404).end()));

async function listening(server) {
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  const stop = () => server.close() && server.closeAllConnections();
  return { url: `http://127.0.0.1:${server.address().port}`, stop };
}

// Flips one bit in the middle of the block that is asked for by this CID. Not in who has it: a client that cannot
// read that never asks.
export const flipped = (cid) => (path, body) => {
  if (!path.startsWith('/ipfs/') || !path.includes(cid) || body.length === 0) return body;
  const bytes = Buffer.from(body);
  bytes[bytes.length >> 1] ^= 0x10;
  return bytes;
};
