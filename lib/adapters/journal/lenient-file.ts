import type { JournalFile, JournalFiles } from "./files.ts";

/** What a disk reads at once; asked for one by one, the good ones around a bad one come. */
const BLOCK_BYTES = 4_096;
/** Each may cost the disk seconds. Where more of one file cannot be read, its bad stretches are not divided any more. */
const BAD_BLOCKS_MAX = 64;
/** EBADMSG: a checksum of the file system; ENODATA: what some disks answer for a bad sector (block/blk-core.c of Linux, BLK_STS_MEDIUM). */
const READ_ERRORS: ReadonlySet<unknown> = new Set(["EIO", "EBADMSG", "ENODATA"]);

/** The disk could not read, though the file is there. */
export const isReadError = (thrown: unknown): boolean => READ_ERRORS.has((thrown as { code?: unknown } | null)?.code);

/** A file of which everything is read that the disk gives. What it does not give comes as zeros, which are no record: damage like any other. */
export async function openLenient(files: JournalFiles, name: string): Promise<JournalFile> {
  const file = await files.open(name, "read").catch((thrown: unknown) => {
    if (isReadError(thrown)) return undefined;
    throw thrown;
  });
  let bad = 0;

  async function readOrZeros(into: Uint8Array, position: number): Promise<number> {
    try {
      return (await file?.read(into, position, into.length)) ?? zeros(into);
    } catch (thrown) {
      if (!isReadError(thrown)) throw thrown;
      bad += 1;
      return into.length <= BLOCK_BYTES || bad > BAD_BLOCKS_MAX ? zeros(into) : byBlocks(into, position);
    }
  }

  async function byBlocks(into: Uint8Array, position: number): Promise<number> {
    let done = 0;
    while (done < into.length) {
      const end = Math.min(into.length, done + BLOCK_BYTES - ((position + done) % BLOCK_BYTES));
      const read = await readOrZeros(into.subarray(done, end), position + done);
      done += read;
      if (read === 0) break;
    }
    return done;
  }

  const readOnly = () => Promise.reject(new RangeError("A file that is read leniently is not written."));
  return {
    read: (into, position, bytes) => readOrZeros(into.subarray(0, bytes), position),
    write: readOnly,
    truncate: readOnly,
    sync: readOnly,
    close: async () => file?.close(),
  };
}

function zeros(into: Uint8Array): number {
  into.fill(0);
  return into.length;
}
