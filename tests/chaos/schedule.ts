import { type Random, seededRandom } from "../../lib/base/random.ts";

/** The parts that are killed. */
export const TARGETS = ["relay", "home", "queues", "tables", "functions"] as const;
export type Target = (typeof TARGETS)[number];

/**
 * What is broken beside kills. The home line is the relay's connection to the home, the queue line its way to the queue.
 * A lost answer: the queue has taken the message, and nobody says so. A stall is SIGSTOP: what it talks to has a slow reader.
 */
export const TROUBLES = [
  "home-line-cut",
  "home-line-half-open",
  "home-line-slow",
  "home-burst",
  "home-restart",
  "home-stall",
  "home-clock-step",
  "home-duplicate",
  "home-recorder-slow",
  "queue-line-cut",
  "queue-line-silent",
  "queue-line-answer-lost",
  "queue-errors",
  "queue-throttles",
  "relay-stall",
  "relay-disk-full",
  "relay-clock-step",
  "functions-stall",
] as const;
export type Trouble = (typeof TROUBLES)[number];

export type Fault =
  | { readonly kind: "kill"; readonly atMs: number; readonly target: Target; readonly downMs: number }
  /** `amount`: seconds of a clock step, events of a burst, rows a second of a slow recorder. */
  | {
      readonly kind: "trouble";
      readonly atMs: number;
      readonly trouble: Trouble;
      readonly lastsMs: number;
      readonly amount: number;
    };

export interface ScheduleOptions {
  readonly seed: number;
  readonly rounds: number;
  readonly killsPerRound: number;
  /** Between one kill and the next. */
  readonly pauseMs: readonly [min: number, max: number];
  /** How often each part is killed in a hundred; a part that is missing is left alone. */
  readonly weights: Readonly<Partial<Record<Target, number>>>;
  readonly troubles: readonly Trouble[];
}

/** The share of kills that come with a trouble beside them. */
const TROUBLE_SHARE = 0.4;

/** How long it lasts, and how much of it there is. */
const TROUBLE_SIZES: Readonly<
  Partial<Record<Trouble, { lastsMs?: readonly [number, number]; amount?: readonly [number, number] }>>
> = {
  "home-line-half-open": { lastsMs: [500, 4_000] },
  "home-burst": { amount: [500, 6_000] },
  "home-clock-step": { amount: [-4, 4] },
  "home-recorder-slow": { lastsMs: [500, 3_000], amount: [50, 500] },
  "relay-clock-step": { lastsMs: [500, 4_000], amount: [-7_200, 7_200] },
};
const LASTS_MS = [100, 2_000] as const;

/** All rounds, each ascending by time. The same options give the same faults, whatever machine runs them. */
export function makeSchedule(options: ScheduleOptions): readonly (readonly Fault[])[] {
  const random = seededRandom(options.seed);
  return Array.from({ length: options.rounds }, (_, index) => makeRound(options, index, random));
}

function makeRound(options: ScheduleOptions, index: number, random: Random): Fault[] {
  const { killsPerRound, pauseMs, weights, troubles } = options;
  const between = ([min, max]: readonly [number, number]) => Math.round(min + random() * (max - min));
  const targets = TARGETS.filter((target) => (weights[target] ?? 0) > 0);
  const faults: Fault[] = [];
  let atMs = 0;
  for (let kill = 0; kill < killsPerRound; kill++) {
    atMs += between(pauseMs);
    // In turn what must not be missing, by weight the rest.
    const target = kill === 0 ? targets[index % targets.length] : pick(targets, weights, random);
    // Half of them are there again at once: the next kill finds them starting.
    const downMs = random() < 0.5 ? 0 : between([50, 600]);
    if (target) faults.push({ kind: "kill", atMs, target, downMs });
    if (kill > 0 && random() >= TROUBLE_SHARE) continue;
    const trouble = troubles[kill === 0 ? index % troubles.length : Math.floor(random() * troubles.length)];
    if (!trouble) continue;
    const { lastsMs = LASTS_MS, amount = [0, 0] } = TROUBLE_SIZES[trouble] ?? {};
    faults.push({
      kind: "trouble",
      atMs: atMs + between([0, 300]),
      trouble,
      lastsMs: between(lastsMs),
      amount: between(amount),
    });
  }
  return faults.sort((a, b) => a.atMs - b.atMs);
}

function pick(targets: readonly Target[], weights: ScheduleOptions["weights"], random: Random): Target | undefined {
  let left = random() * targets.reduce((sum, target) => sum + (weights[target] ?? 0), 0);
  for (const target of targets) {
    left -= weights[target] ?? 0;
    if (left < 0) return target;
  }
  return targets.at(-1);
}

/** A fault in a few words, for the line of its round. */
export const faultText = (fault: Fault): string =>
  fault.kind === "kill"
    ? `${fault.atMs} kill ${fault.target}`
    : `${fault.atMs} ${fault.trouble}${fault.amount === 0 ? "" : ` ${fault.amount}`}`;
