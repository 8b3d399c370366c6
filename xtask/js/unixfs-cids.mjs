// Prints the CID that ipfs-unixfs-importer, an implementation independent of Stead's, gives a file.
//
//   node unixfs-cids.mjs FILE [--chunk BYTES] [--links N]
//   node unixfs-cids.mjs --pattern SIZE [--chunk BYTES] [--links N]
//
// Without options: profile unixfs-v1-2025 of IPIP-0499. With --chunk or --links the same but for the leaf size
// and the width, so that deep trees can be compared without large files. --pattern makes SIZE bytes of which
// byte i is (i * 31 + 7) % 251 instead of reading a file.
import { createReadStream } from 'node:fs'
import { parseArgs } from 'node:util'
import { BlackHoleBlockstore } from 'blockstore-core/black-hole'
import { importer } from 'ipfs-unixfs-importer'
import { fixedSize } from 'ipfs-unixfs-importer/chunker'
import { balanced } from 'ipfs-unixfs-importer/layout'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { chunk: { type: 'string' }, links: { type: 'string' }, pattern: { type: 'string' } }
})

async function * pattern (size) {
  for (let at = 0; at < size; at += 65536) {
    const bytes = new Uint8Array(Math.min(65536, size - at))
    for (let i = 0; i < bytes.length; i++) bytes[i] = ((at + i) * 31 + 7) % 251
    yield bytes
  }
}

if (values.pattern == null && positionals.length !== 1) {
  console.error('usage: node unixfs-cids.mjs FILE | --pattern SIZE [--chunk BYTES] [--links N]')
  process.exit(2)
}
const content = values.pattern != null ? pattern(Number(values.pattern)) : createReadStream(positionals[0])
const options = {
  profile: 'unixfs-v1-2025',
  cidVersion: 1,
  rawLeaves: true,
  reduceSingleLeafToSelf: true,
  chunker: fixedSize({ chunkSize: Number(values.chunk ?? 1048576) }),
  layout: balanced({ maxChildrenPerNode: Number(values.links ?? 1024) })
}
for await (const file of importer([{ content }], new BlackHoleBlockstore(), options)) {
  console.log(file.cid.toString())
}
