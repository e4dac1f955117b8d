import * as z from "zod";
import { CHANGE_KINDS, CONFLICT_FIELDS, CONFLICT_STRATEGIES } from "../devices/index.ts";

/** What changed in the index, and where its sources disagree, as the API shows it. */

const time = z.string().meta({ format: "date-time", example: "2026-11-22T05:47:09.185382+00:00" });
export const INDEXED = ["areas", "floors", "labels", "devices", "entities", "capabilities"] as const;
export const CONFLICT_STATUSES = ["open", "settled", "over"] as const;

const count = z.int().nonnegative();
const next = z
  .string()
  .nullable()
  .meta({ description: "The cursor of the next page; null when this is the last one." });
const fact = z.union([z.string(), z.number(), z.boolean(), z.array(z.union([z.string(), z.number()]))]);

export const changeShape = z
  .object({
    at: time.meta({ description: "When the relay read it: it happened between this and the reading before." }),
    registry: z.enum(INDEXED),
    kind: z.enum(CHANGE_KINDS).meta({
      description:
        "`renamed`: an entity under another id. `replaced`: a device under another id. `split`: a device that became several under other ids. `branched`: a device that got child devices. `moved`: into another area, floor or device, or under another parent.",
    }),
    id: z.string().meta({ description: "As it is now; of one that is gone as it was." }),
    name: z.string().optional(),
    device_id: z.string().optional().meta({ description: "Of an entity: the device whose it is, or was." }),
    before: z.string().optional().meta({ description: "`renamed`, `replaced`: the id that it had." }),
    into: z.array(z.string()).optional().meta({ description: "`split`, `branched`: the devices that came of it." }),
    fields: z.array(z.object({ field: z.string(), from: fact.optional(), to: fact.optional() })),
  })
  .meta({ id: "Change" });
export const changePageShape = z.object({ changes: z.array(changeShape), next }).meta({ id: "ChangePage" });
export const deviceHistoryShape = z
  .object({ device_id: z.string(), changes: z.array(changeShape), next })
  .meta({ id: "DeviceHistory" });

const value = z.union([z.string(), z.array(z.string())]);
export const conflictShape = z
  .object({
    id: z.string(),
    kind: z.enum(["device", "entity"]),
    subject_id: z.string().meta({ description: "The id of the device or entity." }),
    field: z.enum(CONFLICT_FIELDS),
    new_source: z.string(),
    old_source: z.string(),
    new: value,
    old: value,
    strategy: z.enum(CONFLICT_STRATEGIES),
    status: z
      .enum(CONFLICT_STATUSES)
      .meta({ description: "`open`: somebody is asked. `over`: the sources agree by now." }),
    chosen: z.enum(["new", "old", "both"]).optional(),
    settled_by: z.enum(["strategy", "hand"]).optional(),
    reason: z.string(),
    cost: z
      .object({ operations: count, microseconds: count })
      .meta({ description: "What settling it took: values compared and written, and time." }),
    found_at: time,
    settled_at: time.optional(),
    over_at: time.optional(),
  })
  .meta({ id: "Conflict" });
export const conflictPageShape = z.object({ conflicts: z.array(conflictShape), next }).meta({ id: "ConflictPage" });

export const conflictChoiceShape = z
  .strictObject({
    chosen: z.enum(["new", "old", "both"]).meta({ description: "`both`: of two lists." }),
    reason: z.string().max(255).optional(),
  })
  .meta({ id: "ConflictChoice" });

export const comparisonShape = z
  .object({
    devices: count.meta({ description: "Devices that both sources have." }),
    open: count,
    settled: count,
    added: count.meta({ description: "Conflicts that are new, or other than before." }),
    unchanged: count,
    over: count.meta({ description: "Conflicts that were there before and are not any more." }),
    dropped: count.meta({ description: "Let go for want of room." }),
    operations: count,
    duration_ms: z.number().nonnegative(),
  })
  .meta({ id: "Comparison" });
