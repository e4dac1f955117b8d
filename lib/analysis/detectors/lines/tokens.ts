import type { Occurrence } from "../types.ts";
import { type LinesOptions, tokenOf } from "./rows.ts";
import type { TokenCount } from "./token-counts.ts";

/** Of every change of a target, the triggers nearest in time; fewer where there would be more of them in a day than so many, but one at least. */
const NEAREST_TRIGGERS = 8;
const FEWEST_TRIGGERS = 1;
const MOST_TRIGGERS_OF_DAY = 2000;

/** Looks back from every change of a target at the last time of each trigger; a trigger's firing counts once for each token. */
export function countTokens(changes: readonly Occurrence[], options: LinesOptions): TokenCount[] {
  const tallies = new Map<string, { n: number; readonly triggers: Map<string, [number, number, number]> }>();
  const following = changes.filter(options.follows).length;
  const nearest = Math.min(
    NEAREST_TRIGGERS,
    Math.max(FEWEST_TRIGGERS, Math.floor(MOST_TRIGGERS_OF_DAY / Math.max(1, following))),
  );
  const last = new Map<string, Occurrence>();
  const used = new Map<string, Map<string, Occurrence>>();
  for (const change of changes) {
    const token = tokenOf(change.entityId, change.state);
    let tally = tallies.get(token);
    if (!tally) {
      tally = { n: 0, triggers: new Map() };
      tallies.set(token, tally);
      used.set(token, new Map());
    }
    tally.n++;
    if (options.follows(change))
      countTriggers(change, { last, tally: tally.triggers, used: used.get(token), nearest, options });
    // Insertion order is order of last firing: the nearest triggers stand at the end.
    last.delete(token);
    if (change.role === "sensor" || change.actor === "person") last.set(token, change);
  }
  return [...tallies].map(([token, { n, triggers }]) => {
    const names = [...triggers.keys()].sort();
    return { token, n, triggers: names, counts: names.flatMap((name) => triggers.get(name) ?? [0, 0, 0]) };
  });
}

interface Looking {
  readonly last: Map<string, Occurrence>;
  readonly tally: Map<string, [number, number, number]>;
  readonly used: Map<string, Occurrence> | undefined;
  readonly nearest: number;
  readonly options: LinesOptions;
}

function countTriggers(change: Occurrence, { last, tally, used, nearest, options }: Looking): void {
  for (const [trigger, fired] of last) {
    const seconds = (change.atUs - fired.atUs) / 1e6;
    // What fired too long ago never comes near again until it fires anew.
    if (seconds > options.farSeconds) last.delete(trigger);
    else break;
  }
  let left = nearest;
  for (const [trigger, fired] of [...last].reverse()) {
    if (left === 0) return;
    if (fired.entityId === change.entityId || fired.act === change.act || used?.get(trigger) === fired) continue;
    if (fired.deviceId !== undefined && fired.deviceId === change.deviceId) continue;
    left--;
    used?.set(trigger, fired);
    const counts = tally.get(trigger) ?? [0, 0, 0];
    tally.set(trigger, counts);
    if (change.atUs - fired.atUs <= options.nearSeconds * 1e6) counts[0]++;
    counts[1]++;
    if (change.actor === "automation") counts[2]++;
  }
}
