import type { Token } from "../../patterns/types.ts";
import { type LinesDay, linesDays } from "../lines/days.ts";
import { type LinesRow, tokenOf } from "../lines/rows.ts";
import type { DetectorHistory } from "../types.ts";
import { type Chance, type ChanceByCut, chanceOf, type Track, trackOf } from "./chance.ts";
import { type Trial, type TrialQuery, trialsOf } from "./trials.ts";

export interface ChanceQuery extends TrialQuery {
  /** Count what automations did to the target too. */
  readonly withAutomations: boolean;
}

/** What is asked of pairs through some days. */
export interface WorkedOut {
  readonly days: readonly LinesDay[];
  chance(query: ChanceQuery): Chance;
  trials(query: TrialQuery): readonly Trial[];
}

/** Each thing worked out once. */
interface Night {
  readonly days: readonly LinesDay[];
  chances(query: ChanceQuery): ChanceByCut;
  trials(query: TrialQuery): readonly Trial[];
}

/** While somebody holds the history: the looks of one night. */
const nights = new WeakMap<DetectorHistory<LinesRow>, Night>();

function nightOf(history: DetectorHistory<LinesRow>): Night {
  const there = nights.get(history);
  if (there) return there;
  const days = linesDays(history.days);
  const track = remembered(
    (token: Token) => tokenOf(token.entityId, token.state),
    (token): Track => trackOf(days, token),
  );
  const nameOf = ({ trigger, target, windowSeconds }: TrialQuery) =>
    `${tokenOf(trigger.entityId, trigger.state)}\n${tokenOf(target.entityId, target.state)}\n${windowSeconds}`;
  const night: Night = {
    days,
    chances: remembered(
      (query: ChanceQuery) => `${nameOf(query)}\n${query.withAutomations}`,
      (query) => chanceOf({ ...query, trigger: track(query.trigger), target: track(query.target) }),
    ),
    trials: remembered(nameOf, (query): readonly Trial[] => trialsOf(days, query)),
  };
  nights.set(history, night);
  return night;
}

function remembered<Asked, Found>(nameOf: (asked: Asked) => string, find: (asked: Asked) => Found) {
  const known = new Map<string, Found>();
  return (asked: Asked): Found => {
    const name = nameOf(asked);
    const there = known.get(name);
    if (there !== undefined) return there;
    const found = find(asked);
    known.set(name, found);
    return found;
  };
}

/** Cutting a history takes days from its end: what is of the days before stays as it was, and is taken from the whole one. */
export function workedOutOf(history: DetectorHistory<LinesRow>): WorkedOut {
  const { whole = history } = history;
  const all = nightOf(whole);
  const days = whole === history ? all.days : linesDays(history.days);
  const last = days.at(-1)?.day.date ?? "";
  return {
    days,
    // A night cuts by fewer days than are remembered; who cuts by more has it worked out anew.
    chance: (query) => all.chances(query)[all.days.length - days.length] ?? nightOf(history).chances(query)[0],
    trials: (query) => {
      const trials = all.trials(query);
      return days.length === all.days.length ? trials : trials.filter(({ day }) => day.day.date <= last);
    },
  };
}
