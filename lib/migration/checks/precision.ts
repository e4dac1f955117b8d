import { isHearthlineError } from "../../base/errors.ts";
import type { Microseconds } from "../../base/time.ts";
import type { HomeEvent } from "../../event/index.ts";
import type { EventStore } from "../../store/ports.ts";
import { isCanary } from "../canary-entity.ts";
import { comparable } from "../consistency/comparable.ts";
import type { Check, CheckResult, OldLimits, OldSystem, State } from "../ports.ts";
import { PRECISION_US, PRECISION_WORDS, type Precision, shownPrecision, tickOf } from "../precision.ts";
import { failed, passed } from "./results.ts";

export interface PrecisionDeps {
  readonly old: Pick<OldSystem, "range" | "limits">;
  readonly store: Pick<EventStore, "scan">;
}

/** Before anything of OLD's past lies in NEW: cut rows beside NEW's own would be twice there. */
const STATES: ReadonlySet<State> = new Set(["prepared", "dual_write", "backfill"]);
const NAME = "old-precision";
/** OLD's newest rows that are looked at. */
const ROWS_MAX = 300;
/** So many rows that lie at a cut stamp of NEW's own, and not at NEW's, are no chance. */
const CUT_MIN = 5;
/** Of the newest that NEW has in some way; what OLD was before does not count. */
const KNOWN_MAX = 10;

/**
 * `old-precision`: OLD's time stamps are as fine as the plan says. Coarser ones are known by NEW's own events: the same entity and state, at a moment of which OLD has the cut one. Without a fault, and where
 * the plan says nothing of cut stamps, it has no result. It holds the migration; nothing has been brought over yet.
 */
export const createPrecisionCheck = ({ old, store }: PrecisionDeps): Check => ({
  name: NAME,
  states: STATES,
  async run({ migration: { homeId, plan } }) {
    // A plan of an older version says nothing of it.
    const said: Precision = plan.old.precision ?? "us";
    let rows: readonly HomeEvent[];
    try {
      rows = (await old.range({ homeId, order: "desc", limit: ROWS_MAX })).events;
    } catch (thrown) {
      // That OLD does not answer is said by the health check.
      if (isHearthlineError(thrown) && thrown.fate === "retry") return { results: [] };
      throw thrown;
    }
    const own = rows.filter(({ entityId }) => !isCanary(entityId));
    const cut = await cutRows(own, { homeId, store, limits: old.limits });
    const result = finer(own, said) ?? coarser(cut, said) ?? asSaid(own, said);
    return { results: result ? [result] : [] };
  },
});

const remedyOf = (precision: Precision): string =>
  `abort and plan anew with "old": {"precision": "${precision}"} (hearthline migrate plan --precision ${precision})`;

function finer(rows: readonly HomeEvent[], said: Precision): CheckResult | undefined {
  const wrong = rows.filter(({ atUs }) => atUs % PRECISION_US[said] !== 0);
  const [first] = wrong;
  if (!first) return undefined;
  const shown: Precision = wrong.every(({ atUs }) => atUs % PRECISION_US.ms === 0) ? "ms" : "us";
  return failed(
    NAME,
    `The plan says that OLD's time stamps are whole ${PRECISION_WORDS[said]}, and ${wrong.length} of its ${rows.length} newest rows are finer, such as that of "${first.entityId}" at ${momentOf(first.atUs)}: what differs within one would not be seen. Either ${remedyOf(shown)}, or, where our relay writes them, set HEARTHLINE_OLD_PRECISION=${said} and wait until the newest rows are cut.`,
    { isAlert: true, observed: wrong.length, sampleSize: rows.length },
  );
}

interface Cut {
  readonly rows: number;
  readonly precision: Precision;
  readonly example: { readonly entityId: string; readonly oldUs: Microseconds; readonly newUs: Microseconds };
}

function coarser(cut: Cut | undefined, said: Precision): CheckResult | undefined {
  if (!cut) return undefined;
  const { rows, precision, example } = cut;
  return failed(
    NAME,
    `The plan says that OLD's time stamps are ${said === "us" ? "" : "whole "}${PRECISION_WORDS[said]}, but they are cut to whole ${PRECISION_WORDS[precision]}: ${rows} of its newest rows are events that NEW has at a finer moment, such as "${example.entityId}" at ${momentOf(example.oldUs)}, which NEW has at ${momentOf(example.newUs)}. Every row would differ: ${remedyOf(precision)}.`,
    { isAlert: true, observed: rows, sampleSize: rows },
  );
}

function asSaid(rows: readonly HomeEvent[], said: Precision): CheckResult | undefined {
  if (said === "us") return undefined;
  const shown = shownPrecision(rows.map(({ atUs }) => atUs));
  const words =
    shown === undefined
      ? `${rows.length} rows of OLD are whole ${PRECISION_WORDS[said]}, as the plan says; they are too few to tell whether that is chance.`
      : `OLD's time stamps are whole ${PRECISION_WORDS[said]}, as the plan says: all of ${shown.rows} rows, ${shown.stamps} different moments.`;
  return passed(NAME, words, { sampleSize: rows.length });
}

const momentOf = (atUs: Microseconds): string =>
  `${new Date(Math.floor(atUs / 1000)).toISOString().slice(0, -1)}${String(atUs % 1000).padStart(3, "0")}Z`;

interface Cutting {
  readonly homeId: string;
  readonly store: Pick<EventStore, "scan">;
  readonly limits: OldLimits;
}

/** How a row of OLD lies beside NEW's events: at the moment of one, or at the cut moment of one. */
type Beside = "exact" | Partial<Record<Precision, Cut["example"]>>;

/** Those of the newest rows (newest first) that NEW has at a finer moment alone, where that is the rule and no chance. */
async function cutRows(rows: readonly HomeEvent[], cutting: Cutting): Promise<Cut | undefined> {
  const beside = await besideNew(rows, cutting);
  const known = rows.flatMap(({ entityId, atUs }) => beside.get(`${entityId}\n${atUs}`) ?? []).slice(0, KNOWN_MAX);
  const cuts = (["ms", "s"] as const).map((precision) => {
    const examples = known.flatMap((one) => (one === "exact" ? [] : (one[precision] ?? [])));
    return { precision, rows: examples.length, example: examples[0] };
  });
  const [{ precision, rows: count, example } = { precision: "us" as const, rows: 0, example: undefined }] =
    cuts.toSorted((a, b) => b.rows - a.rows);
  if (!example || count < CUT_MIN || count * 2 <= known.length) return undefined;
  return { precision, rows: count, example };
}

async function besideNew(rows: readonly HomeEvent[], { homeId, store, limits }: Cutting) {
  const found = new Map<string, Beside>();
  const coarse = (["ms", "s"] as const).filter((one) => PRECISION_US[one] > limits.precisionUs);
  const stamps = rows.map(({ atUs }) => atUs);
  if (stamps.length === 0 || coarse.length === 0) return found;
  const states: OldLimits = { ...limits, attributes: "none", hasLastChanged: false, precisionUs: 1 };
  const inOld = new Map(rows.map((row) => [`${row.entityId}\n${row.atUs}`, comparable(row, states)?.text]));
  const entityIds = [...new Set(rows.map(({ entityId }) => entityId))];
  const span = { fromUs: Math.min(...stamps), toUs: Math.max(...stamps) + PRECISION_US.s };
  for await (const piece of store.scan({ homeId, entityIds, ...span }))
    for (const event of piece) {
      const text = comparable(event, states)?.text;
      const { entityId, atUs } = event;
      const keyAt = (us: Microseconds) => `${entityId}\n${us}`;
      const isThere = (key: string) => text !== undefined && inOld.get(key) === text;
      const said = keyAt(tickOf(atUs, limits.precisionUs));
      if (isThere(said)) found.set(said, "exact");
      for (const one of coarse) {
        const oldUs = tickOf(atUs, PRECISION_US[one]);
        const before = found.get(keyAt(oldUs)) ?? {};
        if (before !== "exact" && keyAt(oldUs) !== said && isThere(keyAt(oldUs)))
          found.set(keyAt(oldUs), { ...before, [one]: { entityId, oldUs, newUs: atUs } });
      }
    }
  return found;
}
