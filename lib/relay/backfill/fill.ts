import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";
import type { Admission, PastEvent } from "../admit.ts";
import { entryOf } from "../entry.ts";
import type { Intake } from "../intake.ts";
import { knownOf } from "../known-of.ts";
import type { LastKnown } from "../last-known.ts";
import type { Monitor } from "../monitor.ts";
import type { HaSession, HistoryQuery, LastKnownEntity } from "../ports.ts";
import { createDoers, type Doers } from "./doers.ts";
import { type Filling, isUsual, lookAround, NOTHING_SEEN, SHORT_GAP_US } from "./look-around.ts";
import { missingOf } from "./missing.ts";
import { batchesOf, historyPages } from "./pages.ts";
import type { Hole } from "./plan.ts";
import { NoAnswer, patiently, type RecorderState, waitForRecorder } from "./recorder.ts";
import { GapReport } from "./report.ts";
import { hourOf } from "./statistics.ts";
import { createTeller, type Teller } from "./tell.ts";

export interface FillDeps {
  readonly session: HaSession;
  readonly admission: Admission;
  readonly intake: Intake;
  readonly monitor: Monitor;
  readonly lastKnown: LastKnown;
  readonly clock: Clock;
  readonly log: Logger;
  /** This gap is not to be filled any more: a new one has begun that holds it. */
  readonly isOver: () => boolean;
}

/** So many records are pushed before it is asked whether there is room. */
const SLICE_RECORDS = 500;
/** A row that is missing although its entity is recorded may be in a commit that is still to come: a recorder may be set to commit seldom. */
const SECOND_LOOK_MS = 30_000;
const RECENT_US = 120_000_000;
/** After so many batches without an answer no other is asked for: each question waits for minutes. */
const UNANSWERED_MAX = 2;
const STATISTICS_SPAN_US = 31 * 86_400_000_000;

/**
 * Fetches what happened in the holes of a gap, and ends with the gap's record. What it has told of an entity is noted as known only when it is in the spool.
 * @throws `home_assistant_disconnected`: the gap stays open, and the next session fills what is left
 */
export function fillGap(filling: Filling, deps: FillDeps): Promise<void> {
  return new Filler(filling, deps).run();
}

interface Told {
  readonly hole: Hole;
  readonly teller: Teller;
  last: LastKnownEntity | undefined;
}

class Filler {
  readonly #filling: Filling;
  readonly #deps: FillDeps;
  readonly #report: GapReport;
  readonly #doers: Doers;
  #recorder: RecorderState = "ready";
  #seen = NOTHING_SEEN;
  #pushed = 0;
  /** Batches without an answer, one after the other. */
  #unanswered = 0;
  /** By Home Assistant's clock. */
  readonly #newestUs: number;

  constructor(filling: Filling, deps: FillDeps) {
    this.#filling = filling;
    this.#deps = deps;
    this.#report = new GapReport(filling.gap, filling.holes.filter(({ isAbsent }) => !isAbsent).length);
    const entityIds = filling.holes.map(({ entityId }) => entityId);
    this.#doers = createDoers(deps.session, entityIds, deps.log);
    this.#report.hasRestarted = filling.startedUs !== undefined && !filling.hasStayed;
    this.#newestUs = filling.holes.reduce((newest, { target }) => Math.max(newest, target?.atUs ?? 0), 0);
  }

  async run(): Promise<void> {
    const { session, clock, log, isOver } = this.#deps;
    const { holes, gap } = this.#filling;
    if (holes.length > 0) {
      this.#recorder = await waitForRecorder(session, clock);
      if (this.#recorder !== "none") await this.#lookAround();
      const late: Told[] = [];
      // Home Assistant refuses a whole question for one id that it takes for none.
      const [usual, odd] = [holes.filter(isUsual), holes.filter((hole) => !isUsual(hole))];
      for (const batch of [...batchesOf(usual), ...batchesOf(odd)]) {
        if (isOver()) return;
        late.push(...(await this.#fillBatch(batch.map((hole) => this.#begin(hole)))));
      }
      if (late.length > 0) await clock.sleep(SECOND_LOOK_MS);
      for (const batch of batchesOf(late.map((told) => ({ ...told.hole, told })))) {
        if (isOver()) return;
        await this.#fillBatch(
          batch.map(({ told }) => told),
          true,
        );
      }
    }
    if (this.#report.hasRestarted) await this.#lookForCutOff();
    if (isOver()) return;
    const record = this.#report.record();
    this.#deps.intake.push(entryOf(record), () => void this.#deps.lastKnown.close(gap.number));
    this.#deps.monitor.noteGap(record);
    const { t: _, missing, ...said } = record;
    log.info("A gap was looked into.", {
      ...said,
      missing: missing.map(({ reason, entities }) => `${reason} ${entities}`),
    });
  }

  async #lookAround(): Promise<void> {
    this.#seen = await lookAround(this.#filling, this.#ask);
    if (this.#seen.starts.length > 0) this.#report.hasRestarted = true;
  }

  /**
   * One that was killed took with it what its recorder had not written: of any entity the last moments may be missing, and no row tells. Of several starts in one
   * gap only the last is known to its log. The log's clock may be that of a computer that has just booted.
   */
  async #lookForCutOff(): Promise<void> {
    const { session, clock } = this.#deps;
    const { holes, gap } = this.#filling;
    const atUs = await patiently(() => session.getCutOff(), clock);
    if (atUs === undefined || atUs < gap.fromUs - SHORT_GAP_US) return;
    const moved = holes.filter(({ isAbsent }) => !isAbsent);
    this.#report.missRest(
      "power_cut",
      moved.map(({ entityId }) => entityId),
    );
  }

  readonly #ask = async (query: HistoryQuery) => {
    const { session, clock, log } = this.#deps;
    const answer = await patiently(() => session.getHistory(query), clock, log);
    if (!answer) throw new NoAnswer();
    this.#unanswered = 0;
    return answer;
  };

  #begin(hole: Hole): Told {
    return { hole, teller: createTeller(hole, this.#seen.starts), last: undefined };
  }

  /** Gives those that deserve a second look. */
  async #fillBatch(batch: readonly Told[], isSecond = false): Promise<Told[]> {
    const byId = new Map(batch.map((told) => [told.hole.entityId, told]));
    let hasAnswered = this.#recorder !== "none" && this.#unanswered < UNANSWERED_MAX;
    try {
      const wanted = batch.map(({ hole }) => hole);
      for await (const page of hasAnswered ? historyPages(this.#ask, wanted) : []) {
        if (this.#deps.isOver()) return [];
        const withDoer = await this.#doers.of(page);
        for (const [entityId, rows] of page) {
          const told = byId.get(entityId);
          for (const event of told?.teller.tell(rows) ?? []) await this.#tell(withDoer(event), told);
        }
      }
    } catch (thrown) {
      if (!(thrown instanceof NoAnswer)) throw thrown;
      hasAnswered = false;
      this.#unanswered += 1;
    }
    const late = isSecond || !hasAnswered ? [] : batch.filter((told) => this.#isLate(told));
    const done = batch.filter((told) => !late.includes(told));
    for (const told of done) await this.#finish(told, hasAnswered);
    this.#note(done);
    return late;
  }

  #isLate({ hole: { target }, teller }: Told): boolean {
    return target !== undefined && !teller.hasTarget && target.atUs > this.#newestUs - RECENT_US;
  }

  async #finish(told: Told, hasAnswered: boolean): Promise<void> {
    const { hole, teller } = told;
    if (hole.fromUs < this.#seen.purgedUntilUs) await this.#askStatistics(hole);
    for (const event of teller.rest()) await this.#tell(event, told, false);
    if (hole.isSetBack) told.last = this.#heldOf(hole);
    told.last ??= hole.isAbsent ? this.#deps.lastKnown.entities.get(hole.entityId) : this.#heldOf(hole);
    if (hole.isGone) told.last = this.#goneOf(told);
    const reason = missingOf(told.hole, told.teller, {
      hasAnswered,
      recorder: this.#recorder,
      ...this.#seen,
    });
    if (reason) this.#report.miss(reason, hole.entityId);
  }

  /** Gone: it stays known, so that it is asked for again should it come and go while nobody listens, but it is not missed again. */
  #goneOf({ hole, last }: Told): LastKnownEntity | undefined {
    const known = last ?? this.#deps.lastKnown.entities.get(hole.entityId);
    return known && { ...known, isRemoved: true };
  }

  /** What stands for an entity of which nothing had to be told: how Home Assistant has it, without secrets. */
  #heldOf({ entityId, target }: Hole): LastKnownEntity | undefined {
    if (!target) return undefined;
    const { state, attributes, lastChanged, lastUpdated } = target;
    const admitted = this.#deps.admission.past({
      entityId,
      kind: "snapshot",
      state,
      attributes,
      lastChanged,
      lastUpdated,
    });
    return admitted.outcome === "admitted" ? knownOf(admitted.record)?.entity : undefined;
  }

  async #askStatistics({ entityId, fromUs, target }: Hole): Promise<void> {
    const { session, clock, log } = this.#deps;
    for (let atUs = fromUs; atUs < this.#seen.purgedUntilUs; atUs += STATISTICS_SPAN_US) {
      const query = {
        entityIds: [entityId],
        fromUs: atUs,
        toUs: Math.min(this.#seen.purgedUntilUs, atUs + STATISTICS_SPAN_US),
      };
      const answer = await patiently(() => session.getStatistics(query), clock, log);
      for (const row of answer?.get(entityId) ?? []) {
        const event = hourOf(entityId, row, target?.attributes);
        if (event && (await this.#push(event))) this.#report.statistics += 1;
      }
    }
  }

  async #tell(event: PastEvent, told: Told | undefined, isRecovered = true): Promise<void> {
    const record = await this.#push(event);
    if (!record) return;
    if (isRecovered) this.#report.recovered += 1;
    const known = knownOf(record);
    if (known && told) told.last = known.entity;
  }

  async #push(event: PastEvent): Promise<Readonly<Record<string, unknown>> | undefined> {
    const { admission, intake, monitor } = this.#deps;
    const admitted = admission.past(event);
    if (admitted.outcome !== "admitted") return undefined;
    if (this.#pushed++ % SLICE_RECORDS === 0) await intake.room();
    intake.push({ text: admitted.text });
    monitor.countAdmitted();
    return admitted.record;
  }

  /** When all that was pushed is in the spool. */
  #note(done: readonly Told[]): void {
    const { intake, lastKnown } = this.#deps;
    const { gap } = this.#filling;
    intake.whenDurable(() => {
      for (const { hole, last } of done) lastKnown.fill(gap.number, hole.entityId, last);
    });
  }
}
