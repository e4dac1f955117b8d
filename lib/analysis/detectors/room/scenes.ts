import { significant, type Tests } from "../asked.ts";
import { DAY_MINUTES, wrapped } from "../circle.ts";
import { DAY_BEGINS_MINUTE } from "../lines/usual-time.ts";
import { byText } from "../order.ts";
import { quantileOf, wilsonLower } from "../statistics.ts";
import type { DetectorHistory, HomeDay } from "../types.ts";
import { type BurstsByToken, byTokenOf, chanceOf } from "./chance.ts";
import { bestDays } from "./day-groups.ts";
import { type Burst, burstsIn, type RoomRow, SLOT_MINUTES } from "./episodes.ts";
import { type DatedBurst, daysOf, MARGIN_MINUTES, type Scene } from "./scene.ts";

interface Room {
  readonly area: string;
  /** By date: the hours in which it was in use. */
  readonly hours: ReadonlyMap<string, readonly number[]>;
  /** Every set of two to five members that were switched together, by its sorted name: its bursts, ascending by day. */
  readonly sets: ReadonlyMap<string, readonly DatedBurst[]>;
  readonly byToken: BurstsByToken;
}

const LEAST_DAYS = 4;
const LEAST_HITS = 5;
const MOST_MEMBERS = 5;
/** A set is told whole: one of its parts beside it only if that happens far more often. */
const CLOSED_SHARE = 0.7;
const MOST_BAND_MINUTES = 360;
const LEAST_RELIABILITY = 0.4;
const MOST_Q = 0.01;
/** Sets of a room beyond so many are not looked at: those of the most frequent bursts come first. */
const MOST_SETS = 20_000;

/** Complexity: O(bursts times their subsets of five). */
export function scenesOf(history: DetectorHistory<RoomRow>): Scene[] {
  const testsOf = (asked?: ReadonlySet<string>) => testsIn(history, asked);
  const scenes = significant(history, { mostQ: MOST_Q, testsOf }).map(([{ scene }, q]): Scene => ({ ...scene, q }));
  return closed(scenes.filter(({ reliability }) => reliability >= LEAST_RELIABILITY));
}

interface SceneTest {
  readonly scene: Omit<Scene, "q">;
  readonly p: number;
}

/** `asked`: of these keys' rooms alone, as scenes only stand against others of their room; and those that could be told. */
function testsIn(history: DetectorHistory<RoomRow>, asked?: ReadonlySet<string>): Tests<SceneTest> {
  const homeDays = eligible(history).map(({ day }) => day);
  const last = homeDays.at(-1)?.date ?? "";
  const isWhole = history.whole === undefined;
  const tests: SceneTest[] = [];
  let family = 0;
  for (const room of roomsOf(history.whole ?? history)) {
    if (asked && ![...asked].some((key) => key.startsWith(`${room.area} `))) continue;
    for (const [name, all] of room.sets) {
      const bursts = isWhole ? all : all.filter(({ day }) => day.date <= last);
      if (daysOf(bursts) < LEAST_DAYS) continue;
      family++;
      const scene = sceneOf(room, { tokens: name.split(" "), bursts, homeDays });
      if (!scene || (asked && scene.reliability < LEAST_RELIABILITY)) continue;
      tests.push({ scene, p: chanceOf(room.byToken, scene) });
    }
  }
  return { tests, family };
}

const eligible = ({ days }: DetectorHistory<RoomRow>) => days.filter(({ day }) => day.isEligible);

/** While somebody holds the history: all looks of a night find their sets in those of the whole. */
const roomsOfHistory = new WeakMap<DetectorHistory<RoomRow>, readonly Room[]>();

function roomsOf(history: DetectorHistory<RoomRow>): readonly Room[] {
  const there = roomsOfHistory.get(history);
  if (there) return there;
  interface Growing {
    readonly area: string;
    readonly bursts: DatedBurst[];
    readonly hours: Map<string, readonly number[]>;
  }
  const rooms = new Map<string, Growing>();
  for (const { day, rows } of eligible(history))
    for (const row of rows) {
      const room: Growing = rooms.get(row.area) ?? { area: row.area, bursts: [], hours: new Map() };
      rooms.set(row.area, room);
      room.hours.set(day.date, row.hours);
      for (const burst of burstsIn(row))
        for (let count = 0; count < burst.n; count++) room.bursts.push(burstOf(day, burst));
    }
  const found = [...rooms.values()]
    .sort((a, b) => byText(a.area, b.area))
    .map(({ area, hours, bursts }): Room => ({ area, hours, sets: setsOf(bursts), byToken: byTokenOf(bursts) }));
  roomsOfHistory.set(history, found);
  return found;
}

const burstOf = (day: HomeDay, { slot, tokens }: Burst): DatedBurst => ({
  day,
  minute: wrapped((slot + 0.5) * SLOT_MINUTES - DAY_BEGINS_MINUTE),
  tokens,
});

/** Those on enough days. */
function setsOf(bursts: readonly DatedBurst[]): Map<string, readonly DatedBurst[]> {
  const sets = new Map<string, DatedBurst[]>();
  const known = new Map<string, readonly string[]>();
  for (const burst of bursts) {
    if (burst.tokens.length < 2) continue;
    const whole = burst.tokens.join(" ");
    const names = known.get(whole) ?? subsets([...burst.tokens].sort());
    known.set(whole, names);
    for (const name of names) {
      const list = sets.get(name);
      if (list) list.push(burst);
      else if (sets.size < MOST_SETS) sets.set(name, [burst]);
    }
  }
  return new Map([...sets].filter(([, list]) => daysOf(list) >= LEAST_DAYS));
}

function subsets(tokens: readonly string[]): string[] {
  let open: readonly (readonly string[])[] = [[]];
  const found: string[] = [];
  for (const token of tokens) {
    const longer = open.filter((set) => set.length < MOST_MEMBERS).map((set) => [...set, token]);
    found.push(...longer.filter((set) => set.length > 1).map((set) => set.join(" ")));
    open = [...open, ...longer];
  }
  return found;
}

interface SetOfBursts {
  readonly tokens: readonly string[];
  readonly bursts: readonly DatedBurst[];
  readonly homeDays: readonly HomeDay[];
}

function sceneOf(room: Room, { tokens, bursts, homeDays }: SetOfBursts): Omit<Scene, "q"> | undefined {
  const dates = new Set(bursts.map(({ day }) => day.date));
  if (dates.size < LEAST_HITS) return undefined;
  const band = bandOf(bursts);
  const couldBe = homeDays.filter((day) => dates.has(day.date) || isInUse(room, day, band));
  const group = bestDays(couldBe, dates);
  const opportunities = couldBe.filter((day) => group.holds(day));
  const hits = new Set(opportunities.filter(({ date }) => dates.has(date)).map(({ date }) => date));
  const minutes = bursts.filter(({ day }) => hits.has(day.date)).map(({ minute }) => minute);
  const first = firstOf(tokens, bursts);
  return {
    area: room.area,
    tokens: [first, ...tokens.filter((token) => token !== first)],
    minutes: minutes.sort((a, b) => a - b),
    group,
    opportunities,
    hits,
    reliability: hits.size < LEAST_HITS ? 0 : wilsonLower(hits.size, opportunities.length),
  };
}

/** With which member it mostly begins. */
function firstOf(tokens: readonly string[], bursts: readonly DatedBurst[]): string {
  const counts = new Map(tokens.map((token) => [token, 0]));
  for (const burst of bursts) {
    const first = burst.tokens.find((token) => counts.has(token)) ?? "";
    counts.set(first, (counts.get(first) ?? 0) + 1);
  }
  return [...counts].sort(([a, m], [b, n]) => n - m || byText(a, b))[0]?.[0] ?? "";
}

type Band = readonly [number, number];

function bandOf(bursts: readonly DatedBurst[]): Band {
  const minutes = bursts.map(({ minute }) => minute).sort((a, b) => a - b);
  const band = [quantileOf(minutes, 0.05) - MARGIN_MINUTES, quantileOf(minutes, 0.95) + MARGIN_MINUTES] as const;
  return band[1] - band[0] > MOST_BAND_MINUTES ? [0, DAY_MINUTES] : band;
}

function isInUse({ hours }: Room, { date }: HomeDay, [from, to]: Band): boolean {
  const counts = hours.get(date);
  if (!counts) return false;
  for (let hour = Math.floor((from + DAY_BEGINS_MINUTE) / 60); hour * 60 < to + DAY_BEGINS_MINUTE; hour++)
    if ((counts[(hour + 24) % 24] ?? 0) > 0) return true;
  return false;
}

/** The largest sets first; a part of a told set only if it happens far more often. */
function closed(scenes: readonly Scene[]): Scene[] {
  const kept: Scene[] = [];
  const nameOf = ({ tokens }: Scene) => [...tokens].sort().join(" ");
  const order = [...scenes].sort(
    (a, b) => b.tokens.length - a.tokens.length || b.reliability - a.reliability || byText(nameOf(a), nameOf(b)),
  );
  for (const scene of order) {
    const isTold = kept.some((other) => {
      const common = scene.tokens.filter((token) => other.tokens.includes(token)).length;
      const isPart = other.area === scene.area && 2 * common > scene.tokens.length;
      return isPart && other.hits.size >= CLOSED_SHARE * scene.hits.size;
    });
    if (!isTold) kept.push(scene);
  }
  return kept;
}
