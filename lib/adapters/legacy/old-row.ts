import { createHash } from "node:crypto";
import { formatIsoUs } from "../../base/time.ts";
import { localTimeOf } from "../../base/zone.ts";
import { contextOfRow, DAY_PARTS, domainOf, type HomeEvent } from "../../event/index.ts";
import type { OldRow } from "../../migration/ports.ts";
import type { OldOptions } from "./old-options.ts";

/** A quarter of a day each: DAY_PARTS are night, morning, afternoon, evening. */
const PART_HOURS = 6;
const CONTEXT_DIGITS = 28;
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/**
 * A row of OLD as readers want it. What OLD does not hold is filled: the context is one of its own (the same that an import gives the row), the old state, areas, devices and units are absent,
 * attributes are empty, and the local time is that of `timeZone`.
 */
export function eventOfRow(row: OldRow, homeId: string, timeZone = "UTC"): HomeEvent {
  const { entityId, atUs, state, attributes = {}, lastChangedUs = atUs } = row;
  const local = localTimeOf(atUs, timeZone);
  const number = state !== null && NUMBER.test(state) ? Number(state) + 0 : Number.NaN;
  const deviceClass = attributes.device_class;
  const hash = createHash("sha256")
    .update(`${entityId} ${formatIsoUs(atUs)}`)
    .digest("hex");
  return {
    homeId,
    entityId,
    atUs,
    lastChangedUs,
    kind: state === null ? "removed" : lastChangedUs < atUs ? "attributes" : "change",
    source: "import",
    state: state ?? "",
    ...(Number.isFinite(number) && { value: number }),
    quality: qualityOf(state),
    domain: domainOf(entityId),
    ...(typeof deviceClass === "string" && { deviceClass }),
    localTime: local.text,
    dayPart: DAY_PARTS[Math.floor(local.hour / PART_HOURS)] ?? "night",
    origin: "LOCAL",
    context: { id: contextOfRow(hash.slice(0, CONTEXT_DIGITS)) },
    attributes,
  };
}

/** Rows of OLD as readers of a home want them, in its time zone. */
export async function eventsIn(
  homeId: string,
  { timeZoneOf }: Pick<OldOptions, "timeZoneOf">,
): Promise<(row: OldRow) => HomeEvent> {
  const timeZone = await timeZoneOf?.(homeId);
  return (row) => eventOfRow(row, homeId, timeZone);
}

const qualityOf = (state: string | null): HomeEvent["quality"] =>
  state === null || state === "unavailable" ? "unavailable" : state === "unknown" || state === "" ? "unknown" : "ok";

/** By time, then entity, a state before a removal: as NEW orders events. */
export const compareRows = (a: OldRow, b: OldRow): number => {
  if (a.atUs !== b.atUs) return a.atUs - b.atUs;
  if (a.entityId !== b.entityId) return a.entityId < b.entityId ? -1 : 1;
  return Number(a.state === null) - Number(b.state === null);
};
