import type { CheckContext } from "../ports.ts";
import { type Cursor, FROM_THE_START, isCursor, stageKeyOf } from "../statistics/arrivals.ts";

/** What every check keeps that counts pairs: `version` changes whenever what is kept gets another shape. */
export interface PairMemory {
  readonly version: number;
  readonly stage: string;
  readonly cursor: Cursor;
}

/** What a check counts itself, beside where it is. */
type Counted<Memory extends PairMemory> = Omit<Memory, keyof PairMemory>;

export interface PairMemoryShape<Memory extends PairMemory> {
  readonly version: Memory["version"];
  readonly nothing: Counted<Memory>;
  /** Whether what a check counts itself is of this version's shape. */
  readonly isCounted: (value: Partial<Memory>) => boolean;
  /** A stage is done: its figures are past. */
  readonly withNewStage: (memory: Memory) => Counted<Memory>;
}

/** What is known, with the present stage begun. Who resumes a migration has changed something meanwhile: what was measured before says nothing of it, and is forgotten. */
export function begunIn<Memory extends PairMemory>(
  { migration, memory }: Pick<CheckContext, "migration" | "memory">,
  shape: PairMemoryShape<Memory>,
): PairMemory & Counted<Memory> {
  const { version, nothing } = shape;
  const stage = stageKeyOf(migration);
  if (!isMemory(memory, shape)) return { ...nothing, version, stage, cursor: FROM_THE_START };
  if (memory.stage === stage) return memory;
  const counted = migration.lastChange?.from === "paused" ? nothing : shape.withNewStage(memory);
  return { ...counted, version, stage, cursor: memory.cursor };
}

function isMemory<Memory extends PairMemory>(
  value: unknown,
  { version, isCounted }: PairMemoryShape<Memory>,
): value is Memory {
  if (typeof value !== "object" || value === null || !("version" in value) || value.version !== version) return false;
  const known = value as Partial<Memory>;
  return isCursor(known.cursor) && isCounted(known);
}
