import type { Pattern, Token } from "../../lib/analysis/ports.ts";
import { automationSchema, type WritableAutomation } from "../../lib/event/index.ts";
import { draftOfPattern, type Names } from "../../lib/suggestions/index.ts";
import { pattern, names as samples } from "../suggestions/samples.ts";

const names: Names = {
  ...samples,
  deviceClass: (entityId) => (entityId === "binary_sensor.back_door" ? "door" : samples.deviceClass(entityId)),
};

/** Every state into which something of ours brings an entity, by domain. */
const STATES: Readonly<Record<string, readonly string[]>> = {
  light: ["on", "off"],
  switch: ["on", "off"],
  fan: ["on", "off"],
  input_boolean: ["on", "off"],
  humidifier: ["on", "off"],
  media_player: ["on", "off", "playing", "paused"],
  cover: ["open", "closed"],
  lock: ["locked"],
  vacuum: ["cleaning", "docked"],
  climate: ["off", "heat", "cool", "heat_cool", "auto", "dry", "fan_only"],
};

/** Of each domain one entity, by its states; its cover is a blind (tests/suggestions/samples.ts). */
const tokens: readonly (readonly Token[])[] = Object.entries(STATES).map(([domain, states]) =>
  states.map((state) => ({ entityId: domain === "cover" ? "cover.blinds" : `${domain}.x`, state })),
);
const motion: Token = { entityId: "binary_sensor.hall_motion", state: "on" };

const FORGOTTEN = { finding: "forgotten", forgotten: 4 };

const patternsOf = (target: Token): readonly Partial<Pattern>[] => [
  { kind: "time-of-day", target, at: "23:59", anchor: "clock" },
  { kind: "time-of-day", target, anchor: "sunset", offsetMinutes: -15 },
  { kind: "time-of-day", target, anchor: "sunrise", offsetMinutes: 75, days: ["sat", "sun"] },
  { kind: "co-occurrence", target, trigger: motion, details: { condition: "dark", after: "22:00", before: "06:30" } },
  { kind: "sequence", target, steps: [motion, target] },
  { kind: "room", target: motion, steps: [motion, target], details: { condition: "dark" } },
  { kind: "duration", target, durationSeconds: { median: 600, p90: 900 }, details: { form: "fixed" } },
  { kind: "duration", target, durationSeconds: { median: 600, p90: 900 }, details: FORGOTTEN },
];

/** The automation of every template for every domain, and of every state that may be brought about. */
export function allAutomations(): readonly WritableAutomation[] {
  const target: Token = { entityId: "binary_sensor.back_door", state: "on" };
  const durationSeconds = { median: 600, p90: 900 };
  const door: Partial<Pattern> = { kind: "duration", target, durationSeconds, details: FORGOTTEN };
  const ofDomains = tokens.flatMap(([first, ...others]) => [
    ...(first ? patternsOf(first) : []),
    ...others.flatMap((other) => patternsOf(other).slice(0, 1)),
  ]);
  const drafts = [...ofDomains, door].flatMap((more) => draftOfPattern(pattern(more), names) ?? []);
  return drafts.map(({ automation }) => automationSchema.parse(automation));
}
