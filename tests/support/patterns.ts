import type { Pattern } from "../../lib/analysis/ports.ts";

/** A pattern with what a test says of it. */
export const buildPattern = (more: Partial<Pattern> = {}): Pattern => ({
  homeId: "home",
  id: "time-of-day-1",
  key: "light.kitchen=on clock",
  kind: "time-of-day",
  target: { entityId: "light.kitchen", state: "on" },
  at: "07:02",
  anchor: "clock",
  spreadMinutes: 6.5,
  hits: 18,
  opportunities: 20,
  reliability: 0.74,
  significance: 1e-9,
  automated: false,
  days90: [
    { date: "2026-11-20", hits: 1, opportunities: 1 },
    { date: "2026-11-21", hits: 0, opportunities: 1 },
  ],
  histogram: { unit: "minute-of-day", edges: [415, 420, 425], counts: [7, 11] },
  status: "active",
  firstSeen: "2026-10-30",
  lastSeen: "2026-11-20",
  witnessedHits: 1,
  toldOn: "2026-11-14",
  confirmedOn: "2026-11-21",
  title: "Kitchen light turns on around 07:02",
  ...more,
});
