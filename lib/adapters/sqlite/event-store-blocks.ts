import { HearthlineError, isHearthlineError } from "../../base/errors.ts";
import { type Block, openBlock } from "../../series/index.ts";
import type { Segment, Tables } from "./event-store-tables.ts";

/** Opened blocks by the id of their segment; what was used lately stays. */
export interface Blocks {
  /** undefined: the segment is gone (merged or deleted by another process since the directory was read). @throws HearthlineError `store_damaged` */
  open(tables: Tables, segment: Segment): Block | undefined;
  /** Those that end before this time: who goes on in time does not come back to them. */
  forgetBefore(atUs: number): void;
  /** After a transaction that was rolled back: ids that it gave will be given again. */
  clear(): void;
}

/** About 20 MB: two days of a busy home's columns. */
export const REMEMBERED_ROWS = 131_072;

/** For someone who goes on in time: each block is read on from where it was left. */
export const createPassingBlocks = (maxRows: number): Blocks =>
  createBlocks(maxRows, (block) => ({ ...block, events: block.reader() }));

/** `maxRows`: of all blocks that are remembered; a row takes about 150 bytes. */
export function createBlocks(maxRows: number, remembered = (block: Block): Block => block): Blocks {
  const blocks = new Map<number, Opened>();
  let rows = 0;

  function forgetOldest(): void {
    for (const [id, { block }] of blocks) {
      if (rows <= maxRows || blocks.size === 1) return;
      blocks.delete(id);
      rows -= block.count;
    }
  }

  return {
    open: (tables, segment) => {
      const { id } = segment;
      const known = blocks.get(id);
      if (known) {
        refuseOther(segment, known);
        blocks.delete(id);
        blocks.set(id, known);
        return known.block;
      }
      const body = tables.body(id);
      if (!body) return undefined;
      const block = remembered(openBlock(body));
      const opened = { block, home: segment.home, name: tables.nameOf(segment.home) };
      refuseOther(segment, opened);
      blocks.set(id, opened);
      rows += block.count;
      forgetOldest();
      return block;
    },
    forgetBefore: (atUs) => {
      for (const [id, { block }] of blocks) {
        if (block.maxUs >= atUs) continue;
        blocks.delete(id);
        rows -= block.count;
      }
    },
    clear: () => {
      blocks.clear();
      rows = 0;
    },
  };
}

interface Opened {
  readonly block: Block;
  /** As the directory says. */
  readonly home: number;
  readonly name: string | undefined;
}

/** SQLite has no checksums: a directory in which a bit has turned might lead to another day's events, or to another home's. */
function refuseOther({ id, home, count, minUs, maxUs }: Segment, opened: Opened): void {
  const { block } = opened;
  const isIt =
    home === opened.home &&
    // Text of SQLite's is UTF-8, which has no lone surrogates.
    block.homeId.toWellFormed() === opened.name &&
    block.count === count &&
    block.minUs === minUs &&
    block.maxUs === maxUs;
  if (isIt) return;
  throw new HearthlineError(
    "store_damaged",
    `The directory of the event store leads to segment "${id}", which holds something else; wanted is a backup of the file.`,
  );
}

/** Whether a segment, or what leads to it, is what nobody wrote. Others are as good as ever. */
export const isDamage = (thrown: unknown): boolean => isHearthlineError(thrown) && thrown.code === "store_damaged";
