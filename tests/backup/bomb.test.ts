import { zstdCompressSync } from "node:zlib";
import { expect, it } from "vitest";
import {
  CHUNK_MAX_BYTES,
  createDigest,
  encodeHead,
  encodeHeader,
  encodeTail,
  finishHead,
} from "../../lib/backup/format.ts";
import { verify } from "../support/backups.ts";

/** A file of one chunk, with right checksums and whatever its head says. */
function crafted(payload: Uint8Array, unpackedBytes: number): Buffer {
  const head = finishHead(
    encodeHead({ number: 0, section: "manifest", items: 1, unpackedBytes, storedBytes: payload.length }),
    payload,
  );
  const content = Buffer.concat([encodeHeader({ major: 1, minor: 0 }), head, payload]);
  return Buffer.concat([content, encodeTail(createDigest().update(content).digest())]);
}

it("a chunk that unfolds to more than it says, or says more than one may have, is refused without being unfolded", async () => {
  const bomb = zstdCompressSync(Buffer.alloc(256 * 1024 * 1024));
  expect(bomb.length).toBeLessThan(100_000);
  const before = process.memoryUsage().rss;
  for (const says of [10, CHUNK_MAX_BYTES, CHUNK_MAX_BYTES + 1, 0xffff_ffff])
    await expect(verify(crafted(bomb, says)), String(says)).rejects.toMatchObject({ code: "backup_damaged" });
  expect(process.memoryUsage().rss - before).toBeLessThan(128 * 1024 * 1024);
});

it("a header that asks for more memory than a reader should give is refused", async () => {
  const seal = { logN: 30, r: 8, p: 1, salt: Buffer.alloc(16), check: Buffer.alloc(16) };
  const content = encodeHeader({ major: 1, minor: 0, seal });
  const file = Buffer.concat([content, encodeTail(createDigest().update(content).digest())]);
  await expect(verify(file, "some passphrase")).rejects.toMatchObject({ code: "backup_damaged" });
});
