/** One open file of the spool. Every call may reject with an error of the file system (`code`: ENOSPC, EIO, EROFS, ...). */
export interface JournalFile {
  /** Fills `into` from its start with up to `bytes` bytes; gives how many there were: fewer only at the end of the file. */
  read(into: Uint8Array, position: number, bytes: number): Promise<number>;
  /** Gives how many bytes were written: it may be fewer than asked for. */
  write(bytes: Uint8Array, position: number): Promise<number>;
  truncate(bytes: number): Promise<void>;
  /** What was written is on the disk when it resolves; the file's name only after `JournalFiles.syncFolder`. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** The spool's folder, flat. A port of its own, so that tests can tear writes, lose what was not synced and fill the disk. */
export interface JournalFiles {
  /** For messages. */
  readonly path: string;
  list(): Promise<readonly { readonly name: string; readonly bytes: number }[]>;
  /** An existing file; rejects with ENOENT. `read`: works on a read-only file system. */
  open(name: string, how: "read" | "write"): Promise<JournalFile>;
  /** A new file; rejects with EEXIST. */
  create(name: string): Promise<JournalFile>;
  rename(from: string, to: string): Promise<void>;
  remove(name: string): Promise<void>;
  /** Names that were made, changed and removed are on the disk when it resolves. */
  syncFolder(): Promise<void>;
  /** What a program without special rights may still write to this disk. */
  freeBytes(): Promise<number>;
}

/** Writes all of `bytes`, however short each write is. */
export async function writeAll(file: JournalFile, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const written = await file.write(done === 0 ? bytes : bytes.subarray(done), position + done);
    if (written <= 0) throw Object.assign(new Error("the file system wrote nothing"), { code: "EIO" });
    done += written;
  }
}
