import { type Block, openBlock } from "../../series/index.ts";
import type { Segment, Tables } from "./event-store-tables.ts";

/** Opened blocks by the id of their segment; what was used lately stays. */
export interface Blocks {
  /** undefined: the segment is gone (merged or deleted by another process since the directory was read). @throws HearthlineError `store_damaged` */
  open(tables: Tables, segment: Segment): Block | undefined;
  /** After a transaction that was rolled back: ids that it gave will be given again. */
  clear(): void;
}

/** `maxRows`: of all blocks that are remembered; a row takes about 150 bytes. */
export function createBlocks(maxRows: number): Blocks {
  const blocks = new Map<number, Block>();
  let rows = 0;

  function forgetOldest(): void {
    for (const [id, block] of blocks) {
      if (rows <= maxRows || blocks.size === 1) return;
      blocks.delete(id);
      rows -= block.count;
    }
  }

  return {
    open: (tables, { id }) => {
      const known = blocks.get(id);
      if (known) {
        blocks.delete(id);
        blocks.set(id, known);
        return known;
      }
      const body = tables.body(id);
      if (!body) return undefined;
      const block = openBlock(body);
      blocks.set(id, block);
      rows += block.count;
      forgetOldest();
      return block;
    },
    clear: () => {
      blocks.clear();
      rows = 0;
    },
  };
}
