import type { Microseconds } from "../../base/time.ts";
import type { ComparableLimits, ComparableRow } from "./comparable.ts";
import { forEachRow, type ReadOptions, type ReadRow, type SideName, type Sides, type Span } from "./sides.ts";

/**
 * Why two sides differ in a row.
 * - `missing-in-new`, `missing-in-old`, `different`: what counts.
 * - `duplicate`: OLD has the same row more than once. Its writer sent again; nothing is lost.
 * - `one-stamp`: OLD's cut stamps put several rows of an entity on one, and the last replaced the others.
 * - `secret`: NEW was told `[secret]` where OLD holds a password or a token; OLD's row is not given.
 * - `start`: of a start, a snapshot or NEW's own API; OLD was not told of it.
 */
export type FindingKind =
  | "missing-in-new"
  | "missing-in-old"
  | "different"
  | "duplicate"
  | "one-stamp"
  | "secret"
  | "start";

export interface Finding {
  readonly kind: FindingKind;
  readonly entityId: string;
  /** As exactly as either side says it: NEW's, where it has the row. */
  readonly atUs: Microseconds;
  readonly old?: ReadRow;
  readonly new?: ReadRow;
}

/**
 * Goes along both sides at once and gives each row in which they differ, ascending by time. Memory: the rows of one stamp, and one piece of each side.
 * Errors as of `forEachRow`.
 */
export async function join(
  sides: Sides,
  span: Span,
  options: ReadOptions & { readonly onFinding: (finding: Finding) => void },
): Promise<void> {
  const old = stampsOf(sides, { name: "old", span, options });
  const ours = stampsOf(sides, { name: "new", span, options });
  try {
    let [a, b] = await Promise.all([old.next(), ours.next()]);
    while (!a.done || !b.done) {
      const oldUs = a.done ? Number.POSITIVE_INFINITY : a.value.atUs;
      const newUs = b.done ? Number.POSITIVE_INFINITY : b.value.atUs;
      const oldRows = !a.done && oldUs <= newUs ? a.value.rows : [];
      const newRows = !b.done && newUs <= oldUs ? b.value.rows : [];
      compareStamp(oldRows, newRows, { limits: sides.limits, onFinding: options.onFinding });
      if (oldUs <= newUs) a = await old.next();
      if (newUs <= oldUs) b = await ours.next();
    }
  } finally {
    await Promise.all([old.return(), ours.return()]);
  }
}

interface Stamp {
  readonly atUs: Microseconds;
  readonly rows: ReadRow[];
}

/** All rows of one cut time stamp together: within it the two sides may have them in another order. */
async function* stampsOf(
  sides: Sides,
  { name, span, options }: { readonly name: SideName; readonly span: Span; readonly options: ReadOptions },
): AsyncGenerator<Stamp, void, undefined> {
  const { limits, isLeftOut } = sides;
  const side = sides[name];
  let stamp: Stamp | undefined;
  let done: Stamp[] = [];
  // One piece at a time: `forEachRow` checks it, and what it gave is passed on before the next is asked for.
  for await (const rows of side.read(span)) {
    const read = async function* () {
      yield rows;
    };
    await forEachRow(
      { side: { name, read }, limits, span, ...(isLeftOut && { isLeftOut }) },
      (said, row) => {
        if (stamp && stamp.atUs !== said.atUs) {
          done.push(stamp);
          stamp = undefined;
        }
        stamp ??= { atUs: said.atUs, rows: [] };
        stamp.rows.push({ row, said });
      },
      options,
    );
    yield* done;
    done = [];
  }
  if (stamp) yield stamp;
}

interface StampOptions {
  readonly limits: ComparableLimits;
  readonly onFinding: (finding: Finding) => void;
}

function compareStamp(old: readonly ReadRow[], ours: readonly ReadRow[], options: StampOptions): void {
  if (old.length === 1 && ours.length === 1 && isSame(old[0]?.said, ours[0]?.said)) return;
  const entities = new Map<string, { old: ReadRow[]; new: ReadRow[] }>();
  for (const [name, rows] of [
    ["old", old],
    ["new", ours],
  ] as const)
    for (const row of rows) {
      const { entityId } = row.said;
      const both = entities.get(entityId) ?? { old: [], new: [] };
      both[name].push(row);
      entities.set(entityId, both);
    }
  for (const entityId of [...entities.keys()].sort()) {
    const both = entities.get(entityId);
    if (both) compareEntity(entityId, both, options);
  }
}

const isSame = (a: ComparableRow | undefined, b: ComparableRow | undefined): boolean =>
  a?.entityId === b?.entityId && a?.text === b?.text;

/** The rows of one entity at one stamp, as multisets of texts. */
function compareEntity(
  entityId: string,
  both: { readonly old: readonly ReadRow[]; readonly new: readonly ReadRow[] },
  { limits, onFinding }: StampOptions,
): void {
  const left = [...both.new];
  const extra: ReadRow[] = [];
  for (const row of both.old) {
    const at = left.findIndex(({ said }) => said.text === row.said.text);
    if (at < 0) extra.push(row);
    else left.splice(at, 1);
  }
  const texts = new Set(both.new.map(({ said }) => said.text));
  const seen = new Set<string>();
  /** What NEW has none of; a text that OLD has twice counts once. */
  const foreign = extra.filter(({ said: { text } }) => {
    const isAgain = texts.has(text) || seen.has(text);
    seen.add(text);
    return !isAgain;
  });
  for (const old of extra) if (!foreign.includes(old)) onFinding(findingOf("duplicate", entityId, { old }));
  // Those that OLD must have come first: they are the likelier counterparts.
  left.sort((a, b) => Number(a.said.mayLack ?? false) - Number(b.said.mayLack ?? false));
  for (const old of foreign) {
    const ours = left.shift() ?? (limits.precisionUs === 1 ? both.new[0] : undefined);
    if (ours?.said.isSecret) onFinding(findingOf("secret", entityId, { new: ours }));
    else if (ours) onFinding(findingOf("different", entityId, { old, new: ours }));
    else onFinding(findingOf("missing-in-new", entityId, { old }));
  }
  const isReplaced = limits.precisionUs > 1 && limits.keepsAllOfOneStamp !== true && both.old.length > 0;
  for (const ours of left) {
    const kind = ours.said.mayLack ? "start" : isReplaced ? "one-stamp" : "missing-in-old";
    onFinding(findingOf(kind, entityId, { new: ours }));
  }
}

function findingOf(kind: FindingKind, entityId: string, rows: Pick<Finding, "old" | "new">): Finding {
  const row = (rows.new ?? rows.old)?.row;
  return { kind, entityId, atUs: row?.atUs ?? 0, ...rows };
}
