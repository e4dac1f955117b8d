import * as z from "zod";
import { packTextLines, unpackLines } from "../../event/index.ts";
import type { LastState } from "../../history/index.ts";

const count = z.int().nonnegative();

const memorySchema = z.strictObject({
  version: z.literal(1),
  /** What is brought over ends here (not included). */
  toUs: z.int(),
  /** How far OLD's past is sent; absent: from the start. Means something to the past's own reader only. */
  position: z.unknown().optional(),
  /** The last states that were read of entities, packed: what the next row of each is a change from. */
  entities: z.string().default(""),
  sent: count.default(0),
  rejected: count.default(0),
  /** Why the first row was rejected. */
  why: z.string().optional(),
  /** 0 to 1. */
  fraction: z.number().min(0).max(1).default(0),
  /** The last row that was sent. */
  last: z.object({ entityId: z.string(), atUs: z.int() }).optional(),
  /** All is sent. */
  isSent: z.boolean().default(false),
});
export type BackfillMemory = z.infer<typeof memorySchema>;

/** Anything else than what this version has written begins anew: what is sent twice changes nothing. */
export function readMemory(memory: unknown, toUs: number): BackfillMemory {
  const parsed = memorySchema.safeParse(memory);
  return parsed.success ? parsed.data : memorySchema.parse({ version: 1, toUs });
}

/** Of the 300 KB that a check may remember. Some 10,000 entities. */
const PACKED_MAX_CHARACTERS = 200_000;

/** The newest are kept where not all fit; the first row after that of another entity is a `restore`, no change. */
export function packEntities(entities: Readonly<Record<string, LastState>>): string {
  let kept = Object.entries(entities).toSorted(([, a], [, b]) => b[2] - a[2]);
  for (;;) {
    const packed = packTextLines(kept.map((entry) => JSON.stringify(entry)));
    if (packed.length <= PACKED_MAX_CHARACTERS) return packed;
    kept = kept.slice(0, Math.floor(kept.length / 2));
  }
}

/** @throws HearthlineError where it is none of `packEntities` */
export const unpackEntities = (packed: string): Record<string, LastState> =>
  packed === "" ? {} : Object.fromEntries(unpackLines(packed).map((line) => JSON.parse(line) as [string, LastState]));
