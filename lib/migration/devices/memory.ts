import * as z from "zod";
import { CONFLICT_FIELDS } from "../../devices/index.ts";
import { contentOf, keyOf, type NewDevice, valuesOfOld } from "./lists.ts";
import type { DevicePair } from "./match.ts";

/** Rows that are remembered (chosen by us: 52 bytes each, and a check's memory holds 300 KB). Of a longer list only those whose ids differ, and each run compares everything. */
export const ROWS_MAX = 5_200;
/** Rows whose refusal is remembered. */
const REFUSED_MAX = 200;

const resultSchema = z.object({
  name: z.string(),
  verdict: z.enum(["pass", "fail", "inconclusive"]),
  observed: z.number().exactOptional(),
  sampleSize: z.number(),
  explanation: z.string(),
  isAlert: z.boolean().exactOptional(),
});

const memorySchema = z.object({
  version: z.literal(1),
  /** Of the migration at the last complete run: a change of stage asks for another one. */
  epoch: z.int(),
  completeAtUs: z.int(),
  /** By `keyOf` of NEW's id: content of OLD's row, content of NEW's, `keyOf` of OLD's id where it is another, and when OLD's was last changed by others, in milliseconds (-1: not known). */
  rows: z.record(z.string(), z.tuple([z.string(), z.string(), z.string(), z.int()]).readonly()),
  /** By `keyOf` of NEW's id: what OLD refused or did not keep, by its content, so that it is not tried for ever. */
  refused: z.record(z.string(), z.object({ content: z.string(), reason: z.string(), isKept: z.boolean() })),
  unkept: z.array(z.enum(CONFLICT_FIELDS)),
  /** What a person has said meanwhile changes it. */
  conflicts: z.string(),
  isInStep: z.boolean(),
  /** Runs that had more to write than one run writes, since it was last done. */
  round: z.int(),
  /** Since when the lists differ, while they do. */
  outSinceUs: z.number().exactOptional(),
  /** How long the last difference took to settle, from the step that found it. */
  settledSeconds: z.number().exactOptional(),
  rowsWritten: z.int(),
  /** What the last run said, for runs that find nothing changed. */
  results: z.array(resultSchema),
});

/** What `devices` keeps from step to step. */
export type DeviceMemory = z.infer<typeof memorySchema>;

export const emptyDeviceMemory: DeviceMemory = {
  version: 1,
  epoch: -1,
  completeAtUs: 0,
  rows: {},
  refused: {},
  unkept: [],
  conflicts: "",
  isInStep: false,
  round: 0,
  rowsWritten: 0,
  results: [],
};

/** Another shape begins anew: nothing is lost but the knowledge of what was tried. */
export const readDeviceMemory = (memory: unknown): DeviceMemory =>
  memorySchema.safeParse(memory).data ?? emptyDeviceMemory;

type Remembered = DeviceMemory["rows"][string];

/** OLD's rows and the devices that they were taken for, where the ids differ. */
export const linksOf = ({ rows }: DeviceMemory): ReadonlyMap<string, string> =>
  new Map(Object.entries(rows).flatMap(([key, [, , link]]) => (link === "" ? [] : [[link, key] as const])));

const contentOfRow = ({ old }: Pick<DevicePair, "old">, labels: ReadonlyMap<string, string>): string =>
  contentOf(valuesOfOld(old, labels), old.capabilities);
const contentOfNew = ({ values, capabilities }: NewDevice): string => contentOf(values, capabilities);

/** When others than us changed OLD's row: many lists stamp a row also when we write it, which is no word of theirs. */
export function oldChangedAtMs(
  pair: DevicePair,
  known: Remembered | undefined,
  { labels, nowMs }: { readonly labels: ReadonlyMap<string, string>; readonly nowMs: number },
): number | undefined {
  if (!known) return pair.old.changedAtMs;
  const [content, , , changedMs] = known;
  if (contentOfRow(pair, labels) === content) return changedMs < 0 ? undefined : changedMs;
  return pair.old.changedAtMs ?? nowMs;
}

/** Rows of each side that have changed since they were remembered, or are new. */
export function countChanges(
  pairs: readonly DevicePair[],
  { rows }: DeviceMemory,
  labels: ReadonlyMap<string, string>,
): { readonly inOld: number; readonly inNew: number } {
  let [inOld, inNew] = [0, 0];
  for (const pair of pairs) {
    const known = rows[keyOf(pair.fresh.device.deviceId)];
    if (known?.[0] !== contentOfRow(pair, labels)) inOld += 1;
    if (known?.[1] !== contentOfNew(pair.fresh)) inNew += 1;
  }
  return { inOld, inNew };
}

/** What is remembered of the rows as they are now. */
export function rememberRows(
  pairs: readonly DevicePair[],
  changedAtMs: (pair: DevicePair) => number | undefined,
  labels: ReadonlyMap<string, string>,
): DeviceMemory["rows"] {
  // Who was recognised by name is recognised after the name has changed only if that is remembered.
  const linked = pairs.filter(({ old, fresh }) => old.id !== fresh.device.deviceId).slice(0, ROWS_MAX);
  return Object.fromEntries(
    (pairs.length > ROWS_MAX ? linked : pairs).map((pair) => {
      const { deviceId } = pair.fresh.device;
      const link = pair.old.id === deviceId ? "" : keyOf(pair.old.id);
      const ms = Math.floor(changedAtMs(pair) ?? -1);
      return [keyOf(deviceId), [contentOfRow(pair, labels), contentOfNew(pair.fresh), link, ms] as const];
    }),
  );
}

export const boundRefused = (refused: DeviceMemory["refused"]): DeviceMemory["refused"] =>
  Object.fromEntries(Object.entries(refused).slice(0, REFUSED_MAX));
