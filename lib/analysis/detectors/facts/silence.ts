import type { Microseconds } from "../../../base/time.ts";

/** Times in which nothing can be learnt. */
export interface Silence {
  /** Any event of the day, ascending. */
  heard(atUs: Microseconds): void;
  /** An entity came without an old state. */
  restored(atUs: Microseconds, entityId: string): void;
  /** A state that detectors hear has changed. */
  changed(atUs: Microseconds, entityId: string, contextId: string): void;
  finish(): readonly (readonly [Microseconds, Microseconds])[];
}

const SECOND_US = 1e6;
/** So long after a restart everything still comes to itself. */
const SETTLING_US = 60 * SECOND_US;
/** Restored entities nearer to each other than this are one restart. */
const RESTART_GAP_US = 60 * SECOND_US;
/** One or two are new devices. */
const RESTART_MIN_ENTITIES = 3;

const STORM_BIN_US = 5 * SECOND_US;
const STORM_SHARE = 1 / 3;
/** A dozen lamps of a small home may be switched one by one. */
const STORM_MIN_ENTITIES = 12;

const HEARD_BIN_US = 600 * SECOND_US;
/** A home of which something comes in so many of the other ten minutes, and in half of the day's, is never quiet by itself. */
const STEADY_SHARE = 0.95;
const SILENT_MIN_US = 1800 * SECOND_US;

interface Restart {
  /** The last that was heard before. */
  fromUs: Microseconds;
  toUs: Microseconds;
  entities: Set<string>;
}
/** Changes of two neighbouring bins: an entity and a context count once in them. */
interface StormBin {
  readonly index: number;
  readonly entities: Set<string>;
  readonly contexts: Set<string>;
}
type Span = readonly [Microseconds, Microseconds];

/** Memory: the bins of a day, and each entity that changed once in a bin. */
export function createSilence(fromUs: Microseconds, toUs: Microseconds): Silence {
  const restarts: Restart[] = [];
  /** By bin, where many changed at once. */
  const busy: { readonly index: number; readonly count: number }[] = [];
  let bins: StormBin[] = [];
  const everChanged = new Set<string>();
  const gaps: Span[] = [];
  let heardBins = 0;
  let lastBin = -1;
  let lastUs = fromUs;
  let beforeUs = fromUs;

  function heard(atUs: Microseconds): void {
    if (atUs - lastUs >= SILENT_MIN_US) gaps.push([lastUs, atUs]);
    beforeUs = lastUs;
    lastUs = Math.max(lastUs, atUs);
    const bin = Math.floor((atUs - fromUs) / HEARD_BIN_US);
    if (bin > lastBin) heardBins++;
    lastBin = Math.max(lastBin, bin);
  }

  function restored(atUs: Microseconds, entityId: string): void {
    const last = restarts.at(-1);
    if (last && atUs - last.toUs <= RESTART_GAP_US) {
      last.toUs = atUs;
      if (last.entities.size < RESTART_MIN_ENTITIES) last.entities.add(entityId);
    } else restarts.push({ fromUs: beforeUs, toUs: atUs, entities: new Set([entityId]) });
  }

  /** A scene of twenty lamps is one context; whatever comes back after a power cut has one each. */
  function endBins(before: number): void {
    for (const { index, entities, contexts } of bins) {
      const count = Math.min(entities.size, contexts.size);
      if (index < before && count > STORM_MIN_ENTITIES) busy.push({ index, count });
    }
    bins = bins.filter(({ index }) => index >= before);
  }

  function stormSpans(): Span[] {
    endBins(Number.POSITIVE_INFINITY);
    const storms = busy.filter(({ count }) => count > everChanged.size * STORM_SHARE);
    return storms.map(({ index }) => {
      const startUs = fromUs + index * STORM_BIN_US;
      return [startUs, startUs + 2 * STORM_BIN_US + SETTLING_US];
    });
  }

  function quietSpans(): Span[] {
    const all = Math.ceil((toUs - fromUs) / HEARD_BIN_US);
    const quietBins = gaps.reduce((sum, [from, to]) => sum + Math.floor((to - from) / HEARD_BIN_US), 0);
    return heardBins >= all / 2 && heardBins >= STEADY_SHARE * (all - quietBins) ? gaps : [];
  }

  return {
    heard,
    restored,
    changed(atUs, entityId, contextId) {
      everChanged.add(entityId);
      const index = Math.floor((atUs - fromUs) / STORM_BIN_US);
      if (bins.at(-1)?.index !== index) {
        endBins(index - 1);
        for (const next of [index - 1, index])
          if ((bins.at(-1)?.index ?? -1) < next) bins.push({ index: next, entities: new Set(), contexts: new Set() });
      }
      for (const bin of bins) {
        bin.entities.add(entityId);
        bin.contexts.add(contextId);
      }
    },
    finish() {
      heard(toUs);
      const restartSpans = restarts
        .filter(({ entities }) => entities.size >= RESTART_MIN_ENTITIES)
        .map((restart): Span => [restart.fromUs, restart.toUs + SETTLING_US]);
      return joined([...restartSpans, ...stormSpans(), ...quietSpans()], toUs);
    },
  };
}

/** Ascending, without overlaps, none beyond the end of the day. */
function joined(spans: readonly Span[], endUs: Microseconds): Span[] {
  const result: [Microseconds, Microseconds][] = [];
  for (const [from, to] of [...spans].sort((a, b) => a[0] - b[0])) {
    const last = result.at(-1);
    const untilUs = Math.min(to, endUs);
    if (last && from <= last[1]) last[1] = Math.max(last[1], untilUs);
    else if (untilUs > from) result.push([from, untilUs]);
  }
  return result;
}
