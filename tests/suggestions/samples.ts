import type { Pattern } from "../../lib/analysis/ports.ts";
import { addDays } from "../../lib/base/zone.ts";
import type { Names } from "../../lib/suggestions/index.ts";

export const names: Names = {
  entity: (entityId) => entityId.slice(entityId.indexOf(".") + 1).replaceAll("_", " "),
  deviceClass: (entityId) =>
    ({ "cover.blinds": "blind", "cover.garage": "garage", "binary_sensor.back_door": "door" })[entityId],
};

/** Twenty-eight days, on most of which it happened. */
export const pattern = (more: Partial<Pattern> = {}): Pattern => ({
  homeId: "home",
  id: "abc",
  key: "k",
  kind: "time-of-day",
  target: { entityId: "switch.coffee_machine", state: "on" },
  at: "07:02",
  anchor: "clock",
  days: ["mon", "tue", "wed", "thu", "fri"],
  spreadMinutes: 5.2,
  hits: 18,
  opportunities: 20,
  reliability: 0.74,
  significance: 3e-7,
  automated: false,
  days90: Array.from({ length: 28 }, (_, day) => ({
    date: addDays("2026-10-25", day),
    hits: day % 7 < 5 ? 1 : 0,
    opportunities: day % 7 < 5 ? 1 : 0,
  })),
  witnessedHits: 18,
  status: "active",
  firstSeen: "2026-10-25",
  lastSeen: "2026-11-21",
  toldOn: "2026-11-21",
  confirmedOn: "2026-11-21",
  title: "Coffee machine is turned on around 07:02 on weekdays",
  ...more,
});
