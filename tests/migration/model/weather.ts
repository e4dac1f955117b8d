import type { Scheduler } from "./scheduler.ts";

/** What may go wrong in a run; each kind is a world in which other bugs show. */
export const WEATHERS = [
  "fair",
  "cut-new",
  "cut-old",
  "lossy-new",
  "lossy-old",
  "down",
  "operators",
  "bad-new",
  "clocks",
  "simple",
] as const;
export type Kind = (typeof WEATHERS)[number];

export const MINUTE_MS = 60_000;

export interface Span {
  readonly fromMs: number;
  readonly untilMs: number;
}

/** What chance has drawn for one run. Faults end with `FAULTS_END_MS`. */
export interface Weather {
  readonly kind: Kind;
  readonly fedBy: "relay" | "home-assistant";
  /** By link: when nothing comes through. */
  readonly cuts: Readonly<Record<string, readonly Span[]>>;
  /** When the parts of NEW, or OLD, are not well. */
  readonly illNew: readonly Span[];
  /** When NEW answers slowly, or not at all. */
  readonly bad: readonly Span[];
  readonly badHow: "slow" | "errors";
  /** Somebody sets the clock of the cloud by so much at most, either way. */
  readonly skewMaxMs: number;
  /** In the way before the ledger, or behind it. */
  readonly dropsNew: { readonly before: number; readonly behind: number };
  readonly dropsOld: number;
  /** OLD's writer sends rows again, and OLD keeps both. */
  readonly oldTwice: number;
  readonly gates: readonly ("ramp" | "stabilise" | "rampdown" | "cleanup")[];
  /** How long the person lets a gate wait. */
  readonly gateWaitMs: number;
}

export const FAULTS_END_MS = 40 * MINUTE_MS;

export function weatherOf(kind: Kind, sim: Scheduler): Weather {
  const span = (minutes: readonly [number, number], from: readonly [number, number]): Span => {
    const fromMs = sim.between(...from) * MINUTE_MS;
    return { fromMs, untilMs: Math.min(FAULTS_END_MS, fromMs + sim.between(...minutes) * MINUTE_MS) };
  };
  const fair: Weather = {
    kind,
    fedBy: sim.chance(0.7) ? "relay" : "home-assistant",
    cuts: {},
    illNew: [],
    bad: [],
    badHow: sim.chance(0.5) ? "slow" : "errors",
    skewMaxMs: 25_000,
    dropsNew: { before: 0, behind: 0 },
    dropsOld: 0,
    oldTwice: 0,
    gates: sim.chance(0.15) ? ["cleanup"] : ["ramp", "stabilise", "rampdown", "cleanup"],
    gateWaitMs: sim.between(1, 5) * MINUTE_MS,
  };
  // Shorter than the time after which it counts, so nothing may come of it.
  const hiccup = (from: readonly [number, number]): Span => {
    const { fromMs } = span([0, 0], from);
    return { fromMs, untilMs: fromMs + sim.between(2, 18) * 1_000 };
  };
  const hiccups = ([3, 8, 13, 18, 23, 28] as const).map((from) => hiccup([from, from + 5]));
  switch (kind) {
    case "fair":
      return { ...fair, illNew: hiccups, cuts: { "old-read": [hiccup([5, 30])], table: [hiccup([5, 30])] } };
    case "cut-new":
      return { ...fair, fedBy: "relay", cuts: { cloud: [span([3, 25], sim.chance(0.5) ? [1, 6] : [6, 20])] } };
    case "cut-old":
      return {
        ...fair,
        fedBy: "relay",
        cuts: { old: [span([3, 25], [1, 20]), span([1.5, 3], [8, 20]), span([1.5, 3], [20, 35])] },
      };
    case "lossy-new":
      return {
        ...fair,
        dropsNew: sim.chance(0.5) ? { before: 1, behind: 0 } : { before: 0, behind: 1 },
        oldTwice: 0.7,
      };
    case "lossy-old":
      return { ...fair, dropsOld: 3, fedBy: "relay" };
    case "down":
      return sim.chance(0.6)
        ? { ...fair, illNew: [span([5, 8], [8, 24])] }
        : { ...fair, cuts: { "old-read": [span([4, 8], sim.chance(0.5) ? [1, 4] : [4, 24])] } };
    case "bad-new":
      return { ...fair, bad: [span([8, 15], [4, 25])] };
    case "simple":
      return {
        ...fair,
        fedBy: "relay",
        illNew: sim.chance(0.5) ? [span([3, 8], [1.5, 5])] : [],
        cuts: sim.chance(0.3) ? { old: [span([1, 5], [1, 12])] } : {},
      };
    case "clocks":
      return { ...fair, illNew: hiccups, skewMaxMs: sim.pick([90_000, 900_000]) };
    case "operators":
      return {
        ...fair,
        gates: ["ramp", "stabilise", "rampdown", "cleanup"],
        gateWaitMs: sim.between(0, 2) * MINUTE_MS,
      };
  }
}

export const isIn = (spans: readonly Span[] | undefined, nowMs: number): boolean =>
  spans?.some(({ fromMs, untilMs }) => nowMs >= fromMs && nowMs < untilMs) ?? false;

export const touches = (spans: readonly Span[] | undefined, fromMs: number, untilMs: number): boolean =>
  spans?.some((span) => span.fromMs <= untilMs && span.untilMs >= fromMs) ?? false;
