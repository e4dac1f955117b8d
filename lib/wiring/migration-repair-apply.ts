import type { Clock } from "../base/clock.ts";
import { messageOf } from "../base/errors.ts";
import type { RefetchSpan } from "../migration/consistency/refetch-spans.ts";
import type { Repair, RepairPlan } from "../migration/consistency/repair.ts";
import type { Difference, Migration, MigrationStore } from "../migration/ports.ts";
import { type HomeRecorder, RECORDER } from "./migration-refetch.ts";
import { auditRepair } from "./migration-repair-audit.ts";

/** What of a plan is carried out. */
export type Planned = Pick<RepairPlan, "actions" | "left"> & {
  readonly there: readonly Difference[];
  readonly spans: readonly RefetchSpan[];
};

/** How far it is: of so many differences, so many. */
export type OnRepairProgress = (done: number, of: number) => void;

export interface RepairedRows {
  readonly repaired: readonly Difference[];
  /** Of these, how many the recorder gave. */
  readonly byRecorder: number;
  /** Why the recorder has not answered a question, each reason once. */
  readonly unanswered: readonly string[];
  /** Sent, and not there at the last look. */
  readonly open: readonly { readonly difference: Difference; readonly reason: string }[];
  /** Rows that NEW does not take, by its own rules. */
  readonly refused: readonly string[];
  /** False: it was stopped; the same call goes on. */
  readonly isFinished: boolean;
}

export interface ApplyParts {
  readonly clock: Clock;
  readonly store: MigrationStore;
  readonly migration: Pick<Migration, "homeId" | "id">;
  readonly repair: Pick<Repair, "look" | "apply">;
  readonly signal: AbortSignal;
  readonly recorder: HomeRecorder | undefined;
  readonly actor: string;
}

type Applied = Omit<RepairedRows, "refused">;

/** So long what was sent and is not there is looked at again. */
const LAST_LOOK_MS = 30_000;
const LOOK_EVERY_MS = 2_000;
/** A sentence for people. */
const REASON_MAX = 1_000;

/**
 * Sends what was planned, first asks the recorder, and looks again. The migration's audit has two entries of it: what was to be done, and what became of it, however it ended.
 * Errors as of both sides: what was sent before is safe to send again.
 */
export async function applyRepair(parts: ApplyParts, planned: Planned, onProgress: OnRepairProgress): Promise<Applied> {
  const { store, migration, actor, clock } = parts;
  const tell = (reason: string) => auditRepair(store, migration, { actor, reason, clock });
  if (planned.actions.length === 0 && planned.spans.length === 0) {
    const { actions: _, ...done } = await applyAll(parts, planned, onProgress);
    return done;
  }
  await tell(`A repair begins: ${waysOf(planned)}.`);
  let done: Awaited<ReturnType<typeof applyAll>>;
  try {
    done = await applyAll(parts, planned, onProgress);
  } catch (thrown) {
    // The audit says first of all why it ended; that it cannot be told hides nothing of that.
    await tell(`A repair broke off (${waysOf(planned)}): ${messageOf(thrown)}`.slice(0, REASON_MAX)).catch(() => {});
    throw thrown;
  }
  const { actions, ...applied } = done;
  const { isFinished, repaired, byRecorder, open, unanswered } = applied;
  const ended = isFinished ? "The repair has ended" : "The repair was stopped";
  const silent = unanswered.length > 0 ? ` The recorder did not answer all: ${unanswered.join("; ")}.` : "";
  await tell(
    `${ended}: ${waysOf({ ...planned, actions })}; ${repaired.length} rows are there now, ${byRecorder} of them by the recorder, ${open.length} are not.${silent}`.slice(
      0,
      REASON_MAX,
    ),
  );
  return applied;
}

/** `actions`: what was left of them for the other sides after the recorder. */
async function applyAll(
  parts: ApplyParts,
  planned: Planned,
  onProgress: OnRepairProgress,
): Promise<Applied & Pick<Planned, "actions">> {
  const { clock, store, migration, repair, signal } = parts;
  const mark = (found: readonly Difference[]) => store.addDifferences(migration.homeId, migration.id, found);
  await mark(planned.there);
  const { given, actions, unanswered } = await askRecorder(parts, planned);
  await mark(given);
  const repaired = [...given];
  let open: RepairedRows["open"] = [];
  let next: number | undefined = actions.length > 0 ? 0 : undefined;
  while (next !== undefined && !signal.aborted) {
    const outcome = await repair.apply({ actions }, next);
    await mark(outcome.repaired);
    repaired.push(...outcome.repaired);
    open = [...open, ...outcome.open];
    next = outcome.next;
    onProgress(next ?? actions.length, actions.length);
  }
  const untilMs = clock.monotonicMs() + LAST_LOOK_MS;
  while (open.length > 0 && !signal.aborted) {
    const { there } = await repair.look(open.map(({ difference }) => difference));
    await mark(there);
    repaired.push(...there);
    const gone = new Set(there.map(keyOf));
    open = open.filter(({ difference }) => !gone.has(keyOf(difference)));
    if (open.length === 0 || clock.monotonicMs() >= untilMs) break;
    await clock.sleep(LOOK_EVERY_MS, signal);
  }
  return { actions, repaired, byRecorder: given.length, unanswered, open, isFinished: next === undefined };
}

/** How many rows go from where to where, in words. */
function waysOf({ actions, spans }: Pick<Planned, "actions" | "spans">): string {
  const ways = Map.groupBy(actions, ({ from, to }) => `from ${from} to ${to}`);
  const asked = spans.length > 0 ? [`${spans.length} spans asked of ${RECORDER}`] : [];
  return (
    [...asked, ...[...ways].map(([way, alike]) => `${alike.length} rows ${way}`)].join(", ") ||
    "nothing is left to send"
  );
}

/** What the recorder gave, and what is still to be sent. */
async function askRecorder(parts: ApplyParts, { actions, left, spans }: Planned) {
  const { clock, repair, recorder, signal } = parts;
  const wanted = [...actions.map(({ difference }) => difference), ...left.map(({ difference }) => difference)].filter(
    (one) => one.class === "missing-in-new",
  );
  if (!recorder || spans.length === 0 || wanted.length === 0) return { given: [], actions, unanswered: [] };
  const { unanswered, hasAnswered, collectsMs } = await recorder.ask(spans);
  // The relay collects before it sends; from there on it is on its way for seconds.
  const untilMs = clock.monotonicMs() + (hasAnswered ? collectsMs + LAST_LOOK_MS : 0);
  let { there, open } = await repair.look(wanted);
  while (open.length > 0 && clock.monotonicMs() < untilMs && !signal.aborted) {
    await clock.sleep(LOOK_EVERY_MS, signal);
    const again = await repair.look(open);
    there = [...there, ...again.there];
    open = again.open;
  }
  const given = new Set(there.map(keyOf));
  return { given: there, actions: actions.filter(({ difference }) => !given.has(keyOf(difference))), unanswered };
}

const keyOf = ({ class: kind, entityId, atUs }: Difference): string => `${kind} ${atUs} ${entityId}`;
