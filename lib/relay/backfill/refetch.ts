import { HearthlineError } from "../../base/errors.ts";
import { formatIsoUs, type Microseconds, parseIsoUs } from "../../base/time.ts";
import { domainOf, type OutboxRefetch } from "../../event/index.ts";
import type { EntityFilter } from "../filter.ts";
import { usOf } from "../known-of.ts";
import type { HistoryQuery, HistoryRow, LastKnownEntity } from "../ports.ts";
import { createDoers } from "./doers.ts";
import type { FillDeps } from "./fill.ts";
import { isUsual } from "./look-around.ts";
import { batchesOf, historyPages, type Wanted } from "./pages.ts";
import { patiently, waitForRecorder } from "./recorder.ts";
import { manyWitnesses, type Start, startsByMany } from "./restarts.ts";
import { createTeller, type Teller } from "./tell.ts";

export interface RefetchDeps
  extends Pick<FillDeps, "session" | "admission" | "intake" | "monitor" | "lastKnown" | "clock" | "log"> {
  readonly isIncluded: EntityFilter;
}

/** As `Relay.refetch`, of one session. */
export type Refetch = (asked: OutboxRefetch) => Promise<number>;

/** Before a span: the row that says what its first one came from. What speaks often has one within the shorter time, and a day of it would be much to read. */
const BEFORE_US: readonly Microseconds[] = [600_000_000, 86_400_000_000];
/** Who comes back late after a start comes back within this (chosen by us). */
const START_BEFORE_US = 600_000_000;
const SLICE_RECORDS = 500;

type Ask = (query: HistoryQuery) => Promise<ReadonlyMap<string, readonly HistoryRow[]>>;

/** Questions come by the dozen: what the recorder had written down for one, it has for the next. */
export function createRefetch(deps: RefetchDeps): Refetch {
  let writtenUs = Number.NEGATIVE_INFINITY;
  return async (asked) => {
    const nowUs = deps.clock.nowMs() * 1000;
    if (parseIsoUs(asked.to) > writtenUs) {
      const recorder = await waitForRecorder(deps.session, deps.clock);
      if (recorder === "none")
        throw new HearthlineError("recorder_absent", "This Home Assistant has no recorder that could be asked again.");
      if (recorder === "ready") writtenUs = nowUs;
    }
    return refetch(asked, deps);
  };
}

/**
 * Asks Home Assistant's recorder once more for what some entities did in a span, and sends all of it: what the cloud has already is the same by its natural key. Resolves when it is in the spool, and says how
 * many it was. No gap is told, for none was: it was heard once.
 * @throws HearthlineError fate `retry`: `home_assistant_disconnected`; fate `dead-letter`: `recorder_absent` (there is none, or it gives no answer)
 */
async function refetch(asked: OutboxRefetch, deps: RefetchDeps): Promise<number> {
  const { session, clock, intake, log } = deps;
  const [fromUs, untilUs] = [parseIsoUs(asked.from), parseIsoUs(asked.to)];
  // What the owner keeps at home is not even asked for; for one id that is none, Home Assistant refuses the whole question.
  const entityIds = [...new Set(asked.entity_ids)].filter(
    (entityId) => deps.isIncluded(entityId) && isUsual({ entityId }),
  );
  const wanted = entityIds.map((entityId) => ({ entityId, fromUs, untilUs }));
  if (wanted.length === 0) return 0;
  const ask: Ask = async (query: HistoryQuery) => {
    const answer = await patiently(() => session.getHistory(query), clock, log);
    // Whoever asked has another place to look; the same question would hold up the rest of the outbox.
    if (!answer)
      throw new HearthlineError("recorder_absent", "Home Assistant's recorder gave no answer, asked three times.");
    return answer;
  };
  const doers = createDoers(session, entityIds, log);
  const tellers = await tellersOf(wanted, ask, deps);
  let pushed = 0;
  for (const batch of batchesOf(wanted)) {
    for await (const page of historyPages(ask, batch)) {
      const withDoer = await doers.of(page);
      for (const [entityId, rows] of page)
        for (const event of tellers.get(entityId)?.tell(rows) ?? []) {
          const admitted = deps.admission.past(withDoer(event));
          if (admitted.outcome !== "admitted") continue;
          if (pushed++ % SLICE_RECORDS === 0) await intake.room();
          intake.push({ text: admitted.text });
          deps.monitor.countAdmitted();
        }
    }
  }
  await new Promise<void>((resolve) => intake.whenDurable(resolve));
  log.info("The recorder was asked again, as the cloud wanted.", {
    ...asked,
    entity_ids: wanted.length,
    events: pushed,
  });
  return pushed;
}

/** Each knows what came before its span. */
async function tellersOf(
  wanted: readonly Wanted[],
  ask: Ask,
  { session, lastKnown, clock, log }: RefetchDeps,
): Promise<ReadonlyMap<string, Teller>> {
  const latest = await latestBefore(wanted, ask);
  const starts = await startsAround(wanted, manyWitnesses([...lastKnown.entities.keys()]), ask);
  // What tells a password from a text is not in the recorder.
  const hasTexts = wanted.some(({ entityId }) => ["text", "input_text"].includes(domainOf(entityId)));
  const states = hasTexts ? ((await patiently(() => session.getStates(), clock, log)) ?? []) : [];
  const held = new Map(
    states.map((state) => {
      const { entity_id: id, attributes } = state as { entity_id?: unknown; attributes?: unknown };
      return [id, (attributes ?? {}) as Readonly<Record<string, unknown>>];
    }),
  );
  return new Map(
    wanted.map(({ entityId, fromUs, untilUs }) => {
      const span = { fromUs, untilUs, knownUs: fromUs - 1, isGone: false, isSetBack: false, isAbsent: false };
      const hole = {
        entityId,
        ...span,
        before: knownOfRow(latest.get(entityId)),
        target: undefined,
        attributes: held.get(entityId),
      };
      return [entityId, createTeller(hole, starts)];
    }),
  );
}

/** Of each the last row before its span. */
async function latestBefore(wanted: readonly Wanted[], ask: Ask): Promise<ReadonlyMap<string, HistoryRow>> {
  const latest = new Map<string, HistoryRow>();
  let nearUs = 0;
  for (const farUs of BEFORE_US) {
    const earlier = wanted
      .filter(({ entityId }) => !latest.has(entityId))
      .map(({ entityId, fromUs }) => ({ entityId, fromUs: fromUs - farUs, untilUs: fromUs - nearUs }));
    for (const batch of batchesOf(earlier))
      for await (const page of historyPages(ask, batch))
        for (const [entityId, rows] of page) {
          const last = rows.at(-1);
          if (last) latest.set(entityId, last);
        }
    nearUs = farUs;
  }
  return latest;
}

/** When Home Assistant was starting in a span or shortly before: what comes back then is no change. */
async function startsAround(
  wanted: readonly Wanted[],
  witnesses: readonly string[],
  ask: Ask,
): Promise<readonly Start[]> {
  const fromUs = Math.min(...wanted.map((one) => one.fromUs)) - START_BEFORE_US;
  const untilUs = Math.max(...wanted.map((one) => one.untilUs));
  const rows = new Map<string, readonly HistoryRow[]>();
  for (const batch of batchesOf(witnesses.map((entityId) => ({ entityId, fromUs, untilUs }))))
    for await (const page of historyPages(ask, batch))
      for (const [entityId, found] of page) rows.set(entityId, [...(rows.get(entityId) ?? []), ...found]);
  return startsByMany(rows, witnesses.length);
}

function knownOfRow(row: HistoryRow | undefined): LastKnownEntity | undefined {
  if (!row || row.state === null) return undefined;
  const [lastChanged, lastUpdated] = [formatIsoUs(row.lastChangedUs), formatIsoUs(row.lastUpdatedUs)];
  return usOf(lastUpdated) === undefined ? undefined : { state: row.state, lastChanged, lastUpdated, isRemoved: false };
}
