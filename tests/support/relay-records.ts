import type { NewRelayRecord } from "../../lib/event/index.ts";
import { entryOf } from "../../lib/relay/entry.ts";
import type { SpoolEntry } from "../../lib/relay/ports.ts";

export const stateRecord = (name: string, padding = 0): NewRelayRecord => ({
  t: "state",
  kind: "change",
  source: "live",
  entity_id: `sensor.${name}`,
  state: "1",
  attributes: padding > 0 ? { padding: "x".repeat(padding) } : {},
  last_changed: "2026-01-15T12:00:00.000001+00:00",
  last_updated: "2026-01-15T12:00:00.000001+00:00",
  context: { id: "c" },
});

/** The same as the spool takes it. */
export const stateEntry = (name: string, padding = 0): SpoolEntry => entryOf(stateRecord(name, padding));
