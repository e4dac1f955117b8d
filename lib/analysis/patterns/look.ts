import type { Detector, DetectorHistory, Finding } from "../detectors/types.ts";

/** What all detectors find, in their order. `historyOf`: what one of them has learned, with who was at home judged over all days (`eligible`). */
export function lookBack(
  detectors: readonly Detector[],
  historyOf: (detector: Detector) => DetectorHistory<unknown>,
): Finding[] {
  return detectors.flatMap((detector) => [...look(detector, historyOf(detector)).holding]);
}

/** What a detector has found in one night. */
export interface Looked {
  readonly found: readonly Finding[];
  /** Those of them that hold, and so may be told. */
  readonly holding: readonly Finding[];
}

/**
 * What holds: the findings of a history that are also there when it is cut by one day, two, up to `nightsToHold`. Looking every night finds by chance
 * sooner or later what is not there; by chance alone it is not there three nights running. Nothing has to be remembered of earlier nights.
 * Pure. Cost: `nightsToHold` times the detector's `find` at most: the later looks ask only for what still holds.
 */
export function look<Row>(detector: Detector<Row>, history: DetectorHistory<Row>): Looked {
  const dates = history.days.map(({ day }) => day.date).filter((date) => date <= history.date);
  const all = detector.find(history);
  let holding = all;
  for (let cut = 1; cut < detector.nightsToHold && holding.length > 0; cut++) {
    const date = dates.at(-1 - cut);
    const asked = new Set(holding.map(({ key }) => key));
    const found = date === undefined ? [] : detector.find({ ...asOf(history, date), asked });
    const keys = new Set(found.map(({ key }) => key));
    holding = holding.filter(({ key }) => keys.has(key));
  }
  return { found: all, holding };
}

/** The history as it was on a day before. A week counts when it has ended: half of one looks like one in which less happened. */
function asOf<Row>(history: DetectorHistory<Row>, date: string): DetectorHistory<Row> {
  return {
    homeId: history.homeId,
    date,
    days: history.days.filter(({ day }) => day.date <= date),
    weeks: history.weeks.filter((week) => week.dates.every((one) => one <= date)),
    whole: history,
  };
}
