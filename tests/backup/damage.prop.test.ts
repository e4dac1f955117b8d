import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { createMemoryEventStore } from "../../lib/adapters/memory/event-store.ts";
import { decodeHead, FRAME_HEAD_BYTES, HEADER_BYTES, TAIL_BYTES } from "../../lib/backup/format.ts";
import { backUp, memoryHomeTable, restore, verify } from "../support/backups.ts";
import { manyEvents } from "../support/events.ts";

const DAMAGED = { code: "backup_damaged", fate: "stop" };
const PASSPHRASE = "correct horse battery";

let plain: Buffer;
let sealed: Buffer;
beforeAll(async () => {
  plain = (await backUp(manyEvents(30))).bytes;
  sealed = (await backUp(manyEvents(30), { passphrase: PASSPHRASE })).bytes;
});

/** The file's parts: header, one for each chunk, tail. */
function partsOf(file: Buffer): Buffer[] {
  const parts = [file.subarray(0, HEADER_BYTES)];
  let position = HEADER_BYTES;
  while (position < file.length - TAIL_BYTES) {
    const { storedBytes } = decodeHead(file.subarray(position, position + FRAME_HEAD_BYTES), "test");
    parts.push(file.subarray(position, position + FRAME_HEAD_BYTES + storedBytes));
    position += FRAME_HEAD_BYTES + storedBytes;
  }
  return [...parts, file.subarray(position)];
}

/** It is refused, and neither store nor table has noticed anything. */
async function expectRefused(bytes: Uint8Array, passphrase?: string): Promise<void> {
  await expect(verify(bytes, passphrase)).rejects.toMatchObject(DAMAGED);
  const store = createMemoryEventStore();
  const touched: string[] = [];
  const watch = <T extends object>(target: T): T =>
    new Proxy(target, {
      get: (object, name) => {
        touched.push(String(name));
        return Reflect.get(object, name);
      },
    });
  const given = { store: watch(store), table: watch(memoryHomeTable().table), options: { passphrase } };
  await expect(restore(bytes, given)).rejects.toMatchObject(DAMAGED);
  expect(touched).toEqual([]);
}

describe("a file that is not whole", () => {
  it("is refused wherever it is cut", async () => {
    for (let length = 0; length < plain.length; length++)
      await expect(verify(plain.subarray(0, length)), `cut to ${length}`).rejects.toMatchObject(DAMAGED);
    await fc.assert(
      fc.asyncProperty(fc.nat(plain.length - 1), (length) => expectRefused(plain.subarray(0, length))),
      { numRuns: 50 },
    );
  });

  it("is refused whichever bit has turned, before anything is touched", async () => {
    const anyBit = fc.tuple(fc.nat(plain.length - 1), fc.nat(7));
    await fc.assert(
      fc.asyncProperty(anyBit, async ([at, bit]) => {
        const bytes = Buffer.from(plain);
        bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << bit), at);
        await expectRefused(bytes);
      }),
      { numRuns: 500 },
    );
    // Each byte of the header, of the first head and of the tail, where a mistake of ours would be.
    for (const at of [...Array(HEADER_BYTES + FRAME_HEAD_BYTES).keys(), ...Array(TAIL_BYTES).keys()].map((n, index) =>
      index < HEADER_BYTES + FRAME_HEAD_BYTES ? n : plain.length - 1 - n,
    )) {
      const bytes = Buffer.from(plain);
      bytes.writeUInt8(bytes.readUInt8(at) ^ 0x10, at);
      await expect(verify(bytes), `byte ${at}`).rejects.toMatchObject(DAMAGED);
    }
  });

  it("is refused when sealed and turned, with and without its passphrase", async () => {
    const anyByte = fc.tuple(fc.integer({ min: HEADER_BYTES, max: sealed.length - 1 }), fc.nat(7));
    await fc.assert(
      fc.asyncProperty(anyByte, async ([at, bit]) => {
        const bytes = Buffer.from(sealed);
        bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << bit), at);
        await expect(verify(bytes)).rejects.toMatchObject(DAMAGED);
      }),
      { numRuns: 100 },
    );
    const turned = Buffer.from(sealed);
    turned.writeUInt8(turned.readUInt8(200) ^ 1, 200);
    await expectRefused(turned, PASSPHRASE);
  });

  it("is refused with anything behind it, also a second whole file", async () => {
    await expectRefused(Buffer.concat([plain, Buffer.from([0])]));
    await expectRefused(Buffer.concat([plain, plain]));
    await expectRefused(Buffer.concat([plain.subarray(0, plain.length - TAIL_BYTES), plain]));
  });

  it("is refused with chunks in another order, twice, or left out", async () => {
    const parts = partsOf(plain);
    const chunks = [...parts.keys()].slice(1, -1);
    expect(chunks.length).toBeGreaterThan(5);
    for (const index of chunks) {
      await expectRefused(Buffer.concat(parts.filter((_, at) => at !== index)));
      await expectRefused(Buffer.concat(parts.flatMap((part, at) => (at === index ? [part, part] : [part]))));
      const next = parts[index + 1];
      if (index < chunks.length && next)
        await expectRefused(Buffer.concat(parts.with(index, next).with(index + 1, parts[index] ?? next)));
    }
  });

  it("is refused when it is something else", async () => {
    for (const bytes of ["", "SQLite format 3\0", "{}", "\x89HLBK\r\n\x1a"])
      await expectRefused(Buffer.from(bytes, "latin1"));
    // Read and written as text, as a mail program would.
    await expectRefused(Buffer.from(plain.toString("utf8")));
  });
});
