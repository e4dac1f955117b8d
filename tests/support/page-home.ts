import { readFileSync } from "node:fs";
import type { Pattern } from "../../lib/analysis/ports.ts";
import type { PageClient } from "../../lib/api/index.ts";
import { seededRandom } from "../../lib/base/random.ts";
import { addDays, homeDayOf, zonedDayStartUs } from "../../lib/base/zone.ts";
import { planSchema } from "../../lib/migration/plan.ts";
import { changed, newMigration } from "../../lib/migration/row.ts";
import type { CheckResult } from "../../lib/migration/types.ts";
import type { Suggestion } from "../../lib/suggestions/ports.ts";
import { bundlePage } from "../../serverless/page-bundle.cjs";
import { suggestion } from "../conformance/suggestion-store.ts";
import type { TestApi } from "./api.ts";
import { buildEvent } from "./events.ts";
import { buildPattern } from "./patterns.ts";

/** The page's client as it is packaged. */
export async function realPageClient(): Promise<PageClient> {
  const text = await bundlePage();
  return { text, version: String(text.length) };
}

export const ZONE = "Europe/Amsterdam";
export const LONG_NAME = `The ${"very ".repeat(16)}long name`;
export const ARABIC_NAME = "غرفة المعيشة";

const ROOMS = [
  ["bath", "Bathroom"],
  ["hall", "Hall"],
  ["kitchen", "Kitchen"],
  ["living", ARABIC_NAME],
  ["office", LONG_NAME],
] as const;

/** Minutes after 03:00 between which somebody is about in a room. */
const ABOUT: Readonly<Record<string, readonly (readonly [number, number])[]>> = {
  bath: [
    [235, 262],
    [1180, 1212],
  ],
  hall: [
    [240, 244],
    [330, 334],
    [880, 886],
    [1215, 1219],
  ],
  kitchen: [
    [262, 325],
    [892, 990],
  ],
  living: [[985, 1185]],
  office: [
    [338, 540],
    [600, 815],
  ],
};

type FurnishedApi = Pick<
  TestApi,
  | "index"
  | "events"
  | "patterns"
  | "suggestions"
  | "jobs"
  | "aggregates"
  | "retentionRecords"
  | "ledger"
  | "migrationStore"
>;

/** A lived-in home `home` as of `nowMs`: rooms, yesterday, a pattern of each kind, suggestions, three weeks of nights. */
export async function furnishHome(api: FurnishedApi, nowMs: number): Promise<{ readonly yesterday: string }> {
  const yesterday = addDays(homeDayOf(nowMs * 1000, "03:00", ZONE), -1);
  await furnishRooms(api, yesterday);
  await api.patterns.change("home", () => patternsOf(yesterday));
  await api.suggestions.change("home", () => suggestionsOf(yesterday));
  await furnishNights(api, yesterday);
  await api.ledger.record("home", "relay-1", [{ range: [1, 12_345] }]);
  await furnishLayers(api, yesterday);
  await furnishMigration(api, nowMs);
  return { yesterday };
}

/** A quarter of the readers are NEW's; one check has not seen enough, one row differs. */
async function furnishMigration({ migrationStore: store }: FurnishedApi, nowMs: number): Promise<void> {
  const nowUs = nowMs * 1000;
  const plan = planSchema.parse({ old: { kind: "influxdb", url: "http://influxdb.local:8086" } });
  const begun = { homeId: "home", id: "migration-1", salt: "s", nowUs: nowUs - 3_600e6, actor: "test" };
  const made = newMigration(plan, begun);
  await store.create(made);
  const found = { verdict: "pass" as const, limit: 1.2, explanation: "NEW takes 0.96 of OLD's time." };
  const checks: CheckResult[] = [
    { ...found, name: "performance.range", observed: 0.96, low: 0.93, high: 1.01, sampleSize: 420 },
    { ...found, name: "errors", verdict: "inconclusive", observed: 0, sampleSize: 120, samplesWanted: 180 },
  ];
  const ramp = { state: "ramp" as const, stage: 1, stagePercent: 25, actor: "validate-migration", reason: "All good." };
  const row = { checks, lastStepUs: nowUs, opened: ["start"] };
  await store.commit(changed(made, { ...ramp, nowUs: nowUs - 60e6, row }), { expected: 1 });
  const random = seededRandom(5);
  const pairs = Array.from({ length: 300 }, (_, at) => {
    const oldMs = 8 + 4 * random();
    const by = { by: "probe" as const, query: at % 3 ? "range" : "latest", rows: 50, isEqual: true };
    return { ...by, atUs: nowUs - (3_500 - at * 11) * 1e6, oldMs, newMs: oldMs * (0.8 + 0.4 * random()) };
  });
  await store.addPairs("home", "migration-1", pairs);
  const differs = { class: "missing-in-old" as const, entityId: "light.kitchen", lostBy: "old" as const };
  const explanation = "OLD never had it: the ledger knows that it was sent.";
  await store.addDifferences("home", "migration-1", [{ ...differs, atUs: nowUs, foundUs: nowUs, explanation }]);
}

async function furnishRooms({ index, events }: FurnishedApi, yesterday: string): Promise<void> {
  const whole = { revision: 1, part: 1, parts: 1 };
  await index.applyRegistry("home", {
    ...whole,
    registry: "areas",
    rows: ROOMS.map(([areaId, name]) => ({ areaId, name, labels: [] })),
  });
  const entity = (entityId: string, name: string, areaId: string) => ({ entityId, name, areaId, labels: [] });
  await index.applyRegistry("home", {
    ...whole,
    registry: "entities",
    rows: ROOMS.flatMap(([areaId, name]) => [
      entity(`light.${areaId}`, `${name} light`, areaId),
      entity(`binary_sensor.${areaId}_motion`, `${name} motion`, areaId),
      ...(areaId === "kitchen" ? [entity("switch.coffee", "Coffee machine", areaId)] : []),
      ...(areaId === "living" ? [entity("media_player.tv", "Television", areaId)] : []),
    ]),
  });
  const startUs = zonedDayStartUs(yesterday, "03:00", ZONE);
  const random = seededRandom(7);
  const stretch = (entityId: string, areaId: string, [from, to]: readonly [number, number], on = "on") => {
    const at = (minute: number) => startUs + Math.round(minute * 60e6);
    const shared = { entityId, areaId, ...(entityId.includes("motion") && { deviceClass: "motion" }) };
    return [
      buildEvent({ ...shared, atUs: at(from), state: on, oldState: "off" }),
      buildEvent({ ...shared, atUs: at(to), state: "off", oldState: on }),
    ];
  };
  const all = Object.entries(ABOUT).flatMap(([areaId, spans]) =>
    spans.flatMap(([from, to]) => {
      const isDark = from < 300 || from > 820;
      const moves = Array.from({ length: Math.ceil((to - from) / 9) }, (_, step): [number, number] => {
        const begin = from + step * 9 + random() * 3;
        return [begin, begin + 1 + random() * 5];
      });
      return [
        ...(isDark ? stretch(`light.${areaId}`, areaId, [from, to + 1]) : []),
        ...moves.flatMap((move) => stretch(`binary_sensor.${areaId}_motion`, areaId, move)),
      ];
    }),
  );
  await events.write([
    ...all,
    ...stretch("switch.coffee", "kitchen", [258, 290]),
    ...stretch("media_player.tv", "living", [1010, 1180], "playing"),
  ]);
}

/** The last `count` days: a miss every `missEvery`, none where `isOpen` says so. */
const daysOf = (last: string, count: number, missEvery: number, isOpen = (_: number) => true) =>
  Array.from({ length: count }, (_, index) => ({ date: addDays(last, index - count + 1), index }))
    .filter(({ index }) => isOpen(index))
    .map(({ date, index }) => ({ date, hits: index % missEvery === 3 ? 0 : 1, opportunities: 1 }));

/** Times of day about a minute: bins of a quarter of an hour. */
function clockCounts(centre: number, spreadMinutes: number): NonNullable<Pattern["histogram"]> {
  const edges = Array.from({ length: 97 }, (_, index) => index * 15);
  const counts = edges.slice(0, -1).map((edge) => {
    const away = Math.abs(((edge + 7.5 - centre + 720 + 1440) % 1440) - 720);
    return Math.round(18 * Math.exp(-0.5 * (away / spreadMinutes) ** 2));
  });
  return { unit: "minute-of-day", edges, counts };
}

export function patternsOf(yesterday: string): Pattern[] {
  const make = (id: string, more: Partial<Pattern>): Pattern => {
    const { at: _, anchor: __, spreadMinutes: ___, histogram: ____, ...plain } = buildPattern();
    const days90 = daysOf(yesterday, 70, 9);
    const hits = days90.filter(({ hits: one }) => one > 0).length;
    const dates = { firstSeen: addDays(yesterday, -69), lastSeen: yesterday, confirmedOn: yesterday };
    return { ...plain, id, key: id, days90, hits, opportunities: days90.length, ...dates, ...more };
  };
  const seconds = (edges: number[], counts: number[]) => ({ unit: "seconds" as const, edges, counts });
  const coffee = { entityId: "switch.coffee", state: "on" };
  const motion = (room: string) => ({ entityId: `binary_sensor.${room}_motion`, state: "on" });
  const light = (room: string) => ({ entityId: `light.${room}`, state: "on" });
  const workdays = ["mon", "tue", "wed", "thu", "fri"] as const;
  return [
    make("coffee", {
      ...{ target: coffee, at: "07:18", anchor: "clock", spreadMinutes: 9, days: workdays, areaId: "kitchen" },
      days90: daysOf(yesterday, 70, 11, (index) => index % 7 < 5),
      ...{ hits: 45, opportunities: 50, reliability: 0.82, histogram: clockCounts(438, 14) },
      title: "Coffee machine turns on around 07:18 from Monday to Friday",
    }),
    make("dusk", {
      ...{ target: light("living"), at: "17:05", anchor: "sunset", offsetMinutes: 22, spreadMinutes: 12 },
      ...{ areaId: "living", reliability: 0.79, histogram: clockCounts(1025, 26) },
      title: `${ARABIC_NAME} light turns on 22 minutes after sunset`,
    }),
    make("hall", {
      ...{ kind: "co-occurrence", trigger: motion("hall"), target: light("hall"), areaId: "hall" },
      ...{ delaySeconds: { median: 3.2, p90: 11 }, hits: 212, opportunities: 251, reliability: 0.8, automated: true },
      histogram: seconds([0, 1, 2, 3, 5, 8, 13, 21, 34, 60, 120], [8, 31, 62, 48, 30, 17, 9, 4, 2, 1]),
      days90: daysOf(yesterday, 70, 99).map((day, index) => ({ ...day, hits: 1 + (index % 3), opportunities: 3 })),
      title: "When Hall motion sees somebody, Hall light turns on after about 3 seconds",
    }),
    make("evening", {
      ...{ kind: "sequence", target: light("bath"), steps: [light("living"), motion("hall"), light("bath")] },
      ...{ delaySeconds: { median: 95, p90: 340 }, reliability: 0.61, significance: 0.0004, areaId: "bath" },
      histogram: seconds([0, 30, 60, 120, 240, 480, 900], [3, 9, 22, 14, 6, 2]),
      title: `${ARABIC_NAME} light turns off, then Hall motion sees somebody, then Bathroom light turns on`,
    }),
    make("bath", {
      ...{ kind: "duration", target: light("bath"), areaId: "bath", durationSeconds: { median: 1_500, p90: 2_700 } },
      ...{ hits: 128, opportunities: 140, reliability: 0.87 },
      histogram: seconds([300, 600, 900, 1_200, 1_500, 1_800, 2_400, 3_600, 7_200], [4, 12, 25, 40, 28, 12, 6, 1]),
      title: "Bathroom light is usually on for 25 minutes",
    }),
    make("odd", {
      ...{ kind: "anomaly", target: motion("kitchen"), at: "02:00", areaId: "kitchen", hits: 1, opportunities: 1 },
      ...{ reliability: 0.999, significance: 0.0008, firstSeen: yesterday },
      histogram: { unit: "count", edges: [0, 5, 10, 15, 20, 25, 30], counts: [4, 21, 11, 2, 0, 1] },
      days90: daysOf(yesterday, 40, 1).map((day, index) => ({ ...day, hits: index === 39 ? 1 : 0 })),
      details: { observed: 28, expected: 3 },
      title: "Kitchen motion saw somebody 28 times in the hour after 02:00, where 3 is usual",
    }),
    make("office", {
      ...{ kind: "day-type", target: light("office"), days: workdays, areaId: "office", reliability: 0.7 },
      histogram: clockCounts(600, 120),
      title: `${LONG_NAME} light turns on 6 times as often from Monday to Friday`,
    }),
    make("room", {
      ...{ kind: "room", target: light("living"), areaId: "living", steps: [light("living"), light("kitchen")] },
      ...{ reliability: 0.55, status: "fading", lastSeen: addDays(yesterday, -12) },
      title: `In ${ARABIC_NAME}, two lights are used together`,
    }),
    make("season", {
      ...{ kind: "seasonal", target: coffee, areaId: "kitchen", reliability: 0.5, status: "ended" },
      title: "Coffee machine turns on more often from November to February",
    }),
    make("often", {
      ...{ kind: "frequency", target: light("hall"), areaId: "hall", reliability: 0.66 },
      histogram: { unit: "count", edges: [0, 1, 2, 3, 4, 5, 6], counts: [0, 4, 18, 31, 12, 5] },
      title: "Hall light turns on about 3 times a day",
    }),
  ];
}

export function suggestionsOf(yesterday: string): Suggestion[] {
  const automation = {
    ...{ alias: "Coffee in the morning", description: "You do it.", mode: "single" as const },
    triggers: [{ trigger: "time", at: "07:18:00" }],
    conditions: [{ condition: "time", weekday: ["mon", "tue", "wed", "thu", "fri"] }],
    actions: [{ action: "switch.turn_on", target: { entity_id: "switch.coffee" } }],
  };
  const at = `${yesterday}T02:00:00.000Z`;
  const make = (id: string, more: Partial<Suggestion>) => suggestion(id, { createdAt: at, updatedAt: at, ...more });
  return [
    make("coffee", {
      ...{ rank: 1, score: 0.9, patternId: "coffee", automation },
      title: "Turn on the coffee machine at 07:18 from Monday to Friday",
      description: "You do this yourself nearly every working day at about the same time.",
      evidence: `45 of 50 days, give or take 9 minutes, since ${addDays(yesterday, -69)}`,
    }),
    make("dusk", {
      ...{ rank: 2, score: 0.8, patternId: "dusk", automation: { ...automation, alias: "Dusk" } },
      title: `Turn on ${ARABIC_NAME} light 22 minutes after sunset`,
      description: `The light in ${ARABIC_NAME} goes on shortly after sunset, whatever the clock says.`,
      evidence: "62 of 70 days, give or take 12 minutes",
    }),
    make("lamp", {
      ...{ rank: 3, score: 0.4, source: "feature", deviceId: "lamp", feature: "color_temp" },
      title: `${LONG_NAME} light can change how warm its white is`,
      description: "In 30 days nobody has used it. It could be cold by day and warm in the evening.",
      evidence: "Not used since it is watched: 30 days",
    }),
    make("hall", {
      ...{ status: "accepted", outcome: "kept", automation, patternId: "hall" },
      title: "Turn on Hall light when Hall motion sees somebody",
      evidence: "212 of 251 times",
    }),
    make("bath", {
      ...{ status: "accepted", outcome: "refused", automation },
      outcomeDetail: "automations.yaml is not included in configuration.yaml.",
      title: "Turn off Bathroom light after 45 minutes",
      evidence: "9 times forgotten in 70 days",
    }),
    make("fan", { status: "dismissed", title: "Turn off the fan when it is cold", evidence: "12 of 20 days" }),
  ];
}

const PHASES = [
  ["capabilities", 40, { devices: 14 }],
  ["events", 620, { events: 4_211 }],
  ["patterns", 1_340, { found: 41, told: 10 }],
  ["features", 90, { devices: 14, unused: 9 }],
  ["suggestions", 130, { suggestions: 3 }],
  ["publish", 60, { messages: 12 }],
  ["retention", 110, { pruned_events: 310 }],
] as const;

async function furnishNights({ jobs }: FurnishedApi, yesterday: string): Promise<void> {
  for (let back = 16; back >= 0; back--) {
    const date = addDays(yesterday, -back);
    const at = `${addDays(date, 1)}T02:00:05.000Z`;
    const hasFailed = back === 4;
    await jobs.create({
      ...{ homeId: "home", id: `night-${date}`, kind: "daily", date, attempt: 1, queuedAt: at, startedAt: at },
      status: hasFailed ? "degraded" : "succeeded",
      finishedAt: at,
      peakRssBytes: 180_000_000 + back * 1_000_000,
      phases: PHASES.map(([name, durationMs, counts], index) => ({
        ...{ name, counts, startedAt: at, durationMs: Math.round(durationMs * (1 + ((back * (index + 3)) % 7) / 9)) },
        ...(hasFailed && name === "publish"
          ? { status: "failed" as const, error: 'The broker at "127.0.0.1:1883" did not answer within 10 s.' }
          : { status: "succeeded" as const }),
      })),
    });
  }
}

async function furnishLayers({ aggregates, retentionRecords }: FurnishedApi, yesterday: string): Promise<void> {
  for (const [layer, daysBack] of [
    ["daily", 69],
    ["weekly", 66],
    ["monthly", 55],
  ] as const) {
    const date = addDays(yesterday, -daysBack);
    const fromUs = zonedDayStartUs(date, "03:00", ZONE);
    await aggregates.put({ homeId: "home", layer, kind: "day", date, fromUs, toUs: fromUs + 1, rows: [] });
  }
  const enforcedAt = `${addDays(yesterday, 1)}T02:00:08.000Z`;
  await retentionRecords.put("home", { enforcedAt, rawDays: 7, dailyDays: 90, weeklyWeeks: 52 });
}

/** axe-core's source, to be run in a page. */
export const axeSource = (): string => readFileSync(new URL(import.meta.resolve("axe-core/axe.min.js")), "utf8");
