import { formatIsoUs } from "../base/time.ts";
import type { Conflict, DatedChange } from "../devices/index.ts";

const isoOf = (atMs: number): string => formatIsoUs(atMs * 1000);
/** `areaId` is `area_id` in every answer. */
const snakeCase = (field: string): string => field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

export const changeView = ({ atMs, registry, kind, id, name, deviceId, before, into, fields }: DatedChange) => ({
  at: isoOf(atMs),
  registry,
  kind,
  id,
  ...(name !== undefined && { name }),
  ...(deviceId !== undefined && { device_id: deviceId }),
  ...(before !== undefined && { before }),
  ...(into && { into }),
  fields: fields.map(({ field, ...values }) => ({ field: snakeCase(field), ...values })),
});

export const conflictView = (conflict: Conflict) => ({
  id: conflict.id,
  kind: conflict.kind,
  subject_id: conflict.subjectId,
  field: conflict.field,
  new_source: conflict.newSource,
  old_source: conflict.oldSource,
  new: conflict.new,
  old: conflict.old,
  strategy: conflict.strategy,
  status: conflict.status,
  ...(conflict.chosen && { chosen: conflict.chosen }),
  ...(conflict.settledBy && { settled_by: conflict.settledBy }),
  reason: conflict.reason,
  cost: { operations: conflict.cost.operations, microseconds: conflict.cost.micros },
  found_at: isoOf(conflict.foundAtMs),
  ...(conflict.settledAtMs !== undefined && { settled_at: isoOf(conflict.settledAtMs) }),
  ...(conflict.overAtMs !== undefined && { over_at: isoOf(conflict.overAtMs) }),
});
