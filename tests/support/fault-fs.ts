import type { JournalFile, JournalFiles } from "../../lib/adapters/journal/files.ts";

type Change = { readonly at: number; readonly bytes: Buffer } | { readonly size: number };

interface Inode {
  /** What the programs see. */
  content: Buffer;
  /** What is on the disk for sure. */
  synced: Buffer;
  /** What a crash may take away, whole or in part. */
  changes: Change[];
  /** A stretch of the disk under it that cannot be read. */
  bad?: { readonly from: number; readonly to: number };
}

export type Fault = "ENOSPC" | "EIO" | "EROFS" | "crash";

const SECTOR_BYTES = 512;
const failure = (code: string) => Object.assign(new Error(`${code}: planted`), { code });

function apply(content: Buffer, change: Change): Buffer {
  if ("size" in change) return Buffer.concat([content], change.size);
  const size = Math.max(content.length, change.at + change.bytes.length);
  const next = Buffer.concat([content], size);
  change.bytes.copy(next, change.at);
  return next;
}

/**
 * A disk in memory that does what disks do: what was not synced may be gone after a crash, torn in sectors, in any order; so may names that were made, changed or removed.
 * A fault can be planted at the n-th change; writes can be short; the disk can be full or read-only.
 */
export class FaultFs {
  #names = new Map<string, Inode>();
  #syncedNames = new Map<string, Inode>();
  #boot = 0;
  #planted: { at: number; readonly fault: Fault; readonly isLasting: boolean } | undefined;
  /** Changes so far: writes, truncations, syncs, names. */
  changes = 0;
  reads = 0;
  /** The folder is not there: moved away, or its disk was pulled out. */
  isUnplugged = false;
  capacityBytes = Number.POSITIVE_INFINITY;
  freeBytes = Number.POSITIVE_INFINITY;
  /** The most that one write takes. */
  shortWriteBytes = Number.POSITIVE_INFINITY;
  readonly #random: () => number;

  /** `random`: from 0 to below 1. */
  constructor(random: () => number) {
    this.#random = random;
  }

  /** At the n-th change from now (1: the next one). `isLasting`: at every one from then on. */
  plant(n: number, fault: Fault, isLasting = false): void {
    this.#planted = { at: this.changes + n, fault, isLasting };
  }

  heal(): void {
    this.#planted = undefined;
  }

  /** Power off and on: what was open before is dead, and of what was not synced something is left. */
  crash(): void {
    this.#boot += 1;
    this.#planted = undefined;
    const names = new Map<string, Inode>();
    for (const name of new Set([...this.#names.keys(), ...this.#syncedNames.keys()])) {
      const inode = (this.#random() < 0.5 ? this.#names : this.#syncedNames).get(name);
      if (inode) names.set(name, inode);
    }
    for (const inode of new Set(names.values())) {
      inode.synced = this.#left(inode);
      inode.content = inode.synced;
      inode.changes = [];
    }
    this.#names = names;
    this.#syncedNames = new Map(names);
  }

  bytesOf(name: string): number {
    return this.#names.get(name)?.content.length ?? 0;
  }

  names(): string[] {
    return [...this.#names.keys()].sort();
  }

  /** Changes bytes of a file on the disk; the file may be made. */
  edit(name: string, change: (content: Buffer) => Buffer): void {
    const content = change(Buffer.from(this.#names.get(name)?.content ?? Buffer.alloc(0)));
    const inode = { content, synced: content, changes: [] };
    this.#names.set(name, inode);
    this.#syncedNames.set(name, inode);
  }

  /** Bytes [from, to) of a file cannot be read any more; without them, none of it can. */
  spoil(name: string, from = 0, to = Number.POSITIVE_INFINITY): void {
    const inode = this.#names.get(name);
    if (inode) inode.bad = { from, to };
  }

  unlink(name: string): void {
    this.#names.delete(name);
    this.#syncedNames.delete(name);
  }

  /** The folder as one boot of the machine sees it. */
  files(): JournalFiles {
    const boot = this.#boot;
    const alive = () => {
      if (boot !== this.#boot) throw failure("EIO");
    };
    const inodeOf = (name: string): Inode => {
      const inode = this.isUnplugged ? undefined : this.#names.get(name);
      if (!inode) throw failure("ENOENT");
      return inode;
    };
    const change = async (work: () => void) => {
      await Promise.resolve();
      alive();
      this.#tick();
      work();
    };
    return {
      path: "/fault",
      list: async () => {
        alive();
        return [...this.#names].map(([name, { content }]) => ({ name, bytes: content.length }));
      },
      open: async (name) => {
        alive();
        return this.#fileOf(inodeOf(name), alive);
      },
      create: async (name) => {
        await change(() => {
          if (this.#names.has(name)) throw failure("EEXIST");
          this.#names.set(name, { content: Buffer.alloc(0), synced: Buffer.alloc(0), changes: [] });
        });
        return this.#fileOf(inodeOf(name), alive);
      },
      rename: (from, to) =>
        change(() => {
          this.#names.set(to, inodeOf(from));
          this.#names.delete(from);
        }),
      remove: (name) =>
        change(() => {
          inodeOf(name);
          this.#names.delete(name);
        }),
      syncFolder: () =>
        change(() => {
          if (this.isUnplugged) throw failure("ENOENT");
          this.#syncedNames = new Map(this.#names);
        }),
      freeBytes: async () => this.freeBytes,
    };
  }

  #fileOf(inode: Inode, alive: () => void): JournalFile {
    const put = (change: Change) => {
      inode.content = apply(inode.content, change);
      inode.changes.push(change);
    };
    const before = async () => {
      await Promise.resolve();
      alive();
    };
    return {
      read: async (into, position, bytes) => {
        await before();
        this.reads += 1;
        if (inode.bad && position < inode.bad.to && position + bytes > inode.bad.from) throw failure("EIO");
        const part = inode.content.subarray(position, position + bytes);
        into.set(part);
        return part.length;
      },
      write: async (bytes, position) => {
        await before();
        const write = (length: number) => put({ at: position, bytes: Buffer.from(bytes.subarray(0, length)) });
        // What fails or crashes may have written a part.
        this.#tick(() => write(Math.floor(this.#random() * (bytes.length + 1))));
        const grown = Math.max(0, position + bytes.length - inode.content.length);
        const room = Math.max(0, this.capacityBytes - this.usedBytes());
        const taken = Math.min(this.shortWriteBytes, bytes.length - Math.max(0, grown - room));
        if (taken <= 0) throw failure("ENOSPC");
        write(taken);
        return taken;
      },
      truncate: async (size) => {
        await before();
        this.#tick();
        put({ size });
      },
      sync: async () => {
        await before();
        // A sync that fails has written some of it; no later one writes the rest, while programs go on seeing all of it.
        this.#tick(() => {
          inode.synced = this.#left(inode);
          inode.changes = [];
        });
        for (const change of inode.changes) inode.synced = apply(inode.synced, change);
        inode.changes = [];
      },
      close: async () => {},
    };
  }

  #tick(onFault: () => void = () => {}): void {
    this.changes += 1;
    const planted = this.#planted;
    if (!planted || this.changes < planted.at) return;
    if (!planted.isLasting && planted.fault !== "crash") this.#planted = undefined;
    onFault();
    if (planted.fault === "crash") {
      // Dead from here on; `crash` then decides what is left.
      this.#boot += 1;
      throw failure("EIO");
    }
    throw failure(planted.fault);
  }

  usedBytes(): number {
    return [...this.#names.values()].reduce((sum, { content }) => sum + content.length, 0);
  }

  #left(inode: Inode): Buffer {
    let content = inode.synced;
    for (const change of inode.changes) {
      if ("size" in change) {
        if (this.#random() < 0.5) content = apply(content, change);
        continue;
      }
      const fate = this.#random();
      if (fate < 0.25) content = apply(content, change);
      if (fate < 0.5) continue;
      for (let at = 0; at < change.bytes.length; ) {
        const place = change.at + at;
        const end = at + SECTOR_BYTES - (place % SECTOR_BYTES);
        if (this.#random() < 0.5) content = apply(content, { at: place, bytes: change.bytes.subarray(at, end) });
        at = end;
      }
    }
    return content;
  }
}

/** Numbers from 0 to below 1 that a seed decides (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
