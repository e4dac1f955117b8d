import type { Change } from "./variants.ts";
import type { Kind } from "./weather.ts";

/** A bug that somebody has had, and the weather in which it shows. */
export interface Bug {
  readonly name: string;
  readonly weather: Kind;
  readonly changes: readonly Change[];
}

/** Under lib, the place of the real code, and what stands there in the variant. */
type Place = readonly [under: string, from: string, to: string];

const bug = (name: string, weather: Kind, ...places: readonly Place[]): Bug => ({
  name,
  weather,
  changes: places.map(([under, from, to]) => ({ under, from, to })),
});

export const BUGS: readonly Bug[] = [
  bug("a closed upper bound: a row of the very end is in two spans", "fair", [
    "adapters/memory/event-store.ts",
    "(event) => event.atUs < toUs)",
    "(event) => event.atUs <= toUs)",
  ]),
  bug(
    "sums by xor: what is there twice is not there at all",
    "lossy-new",
    ["migration", "const a = to.aLow + (lanes[0] as number);", "const a = (to.aLow ^ (lanes[0] as number)) >>> 0;"],
    [
      "migration",
      "to.aHigh = (to.aHigh + (lanes[1] as number) + (a >= LIMIT ? 1 : 0)) >>> 0;",
      "to.aHigh = (to.aHigh ^ (lanes[1] as number)) >>> 0;",
    ],
    ["migration", "const b = to.bLow + (lanes[2] as number);", "const b = (to.bLow ^ (lanes[2] as number)) >>> 0;"],
    [
      "migration",
      "to.bHigh = (to.bHigh + (lanes[3] as number) + (b >= LIMIT ? 1 : 0)) >>> 0;",
      "to.bHigh = (to.bHigh ^ (lanes[3] as number)) >>> 0;",
    ],
    ["migration", "a.count === b.count && a.aLow", "a.aLow"],
  ),
  bug("the switch before the lag is drained", "cut-old", ["migration", "observed > limit || (", "observed < 0 && ("]),
  bug("an old word of the relay is taken for a new one", "cut-new", [
    "migration",
    "if (ageSeconds > Math.max(STATUS_OLD_SECONDS",
    "if (ageSeconds > Math.max(1e9",
  ]),
  bug("OLD's lag as it was when the relay spoke (ours, found by this model)", "cut-old", [
    "migration",
    "old.lagSeconds + Math.max(0, (nowMs - Date.parse(status.at)) / 1000)",
    "old.lagSeconds",
  ]),
  bug("what checks remember is not kept", "fair", [
    "adapters/dynamodb",
    "...Object.fromEntries(Object.keys(memories).map((name) => [name, write])) };",
    "};",
  ]),
  bug("the authority is not monotone: buckets move with the percentage", "fair", [
    "migration",
    "entityIds.every((entityId) => bucketOf(homeId, entityId, salt) < basisPoints)",
    "entityIds.every((entityId) => (bucketOf(homeId, entityId, salt) * (basisPoints / 100 + 1)) % BUCKETS < basisPoints)",
  ]),
  bug("a salt of each stage", "fair", ["migration/pointer.ts", "    salt,\n", "    salt: salt + stagePercent,\n"]),
  bug("of several entities one is enough", "fair", [
    "migration",
    "return entityIds.every((",
    "return entityIds.some((",
  ]),
  bug("the relay's cursor moves before the sink has answered", "cut-new", [
    "relay/ship.ts",
    "this.#slots.push(slot);",
    "this.#slots.push(slot);\n      this.#takenUpTo = Math.max(this.#takenUpTo, slot.last);",
  ]),
  bug("the back-fill's place moves before the queue has taken it", "cut-new", [
    "migration",
    "this.landed = state.pending.length === 0 ? state : this.#state;",
    "this.landed = state;",
  ]),
  bug("the back-fill's next slice begins one too late", "fair", [
    "adapters/legacy/old-past.ts",
    "const nextUs = (piece.at(-1)?.atUs ?? firstUs) + 1;",
    "const nextUs = (piece.at(-1)?.atUs ?? firstUs) + 2;",
  ]),
  bug("the pointer before the row", "fair", [
    "migration",
    "    try {\n      await store.commit(next",
    "    await point(next);\n    try {\n      await store.commit(next",
  ]),
  bug("a pointer without a fence", "operators", [
    "adapters/dynamodb",
    'await table.put({ ...key, fence, data }, { expression: isNotLater, values: { ":fence": fence } });',
    "await table.put({ ...key, fence, data });",
  ]),
  bug("a pointer that is known is never read again", "operators", [
    "migration",
    "if (age <= (known.pointer ? FRESH_MS : NONE_FRESH_MS))",
    "if (known.pointer || age <= NONE_FRESH_MS)",
  ]),
  bug("a step that dies after the row leaves the pointer where it was", "lossy-old", [
    "migration",
    "if (isStarted(migration)) await point(migration);",
    "",
  ]),
  bug("an epoch is missing in the audit after a crash", "fair", [
    "adapters/dynamodb",
    "if (current.lastChange?.epoch !== next.lastChange?.epoch) await noteChange(current);",
    "",
  ]),
  bug("an epoch is in the audit twice", "fair", [
    "adapters/dynamodb",
    "...migrationAuditKey(homeId, { id, epoch: lastChange.epoch }),",
    "...migrationAuditKey(homeId, { id, epoch: 1000 * lastChange.epoch + (table.clock.nowMs() % 1000) }),",
  ]),
  bug("no second look before a part counts as down", "fair", [
    "migration",
    "const isCertain = clock.nowMs() >= certainMs && (looks > 1 || recheck.failingSinceUs !== undefined);",
    "const isCertain = true;",
  ]),
  bug("a difference counts at once", "fair", [
    "migration",
    "look.atUs > foundUs && look.atUs - foundUs >= recheckUs;",
    "look.atUs >= foundUs;",
  ]),
  bug("a soak goes on over a failure", "cut-old", ["migration", 'if (verdict === "fail") return undefined;', ""]),
  bug("a soak is never waited for", "fair", ["migration", "if (goodSeconds < wantedSeconds)", "if (goodSeconds < 0)"]),
  bug("a step that is late finds the gate open", "fair", [
    "migration",
    "const gate = next && gateBefore(migration, next);",
    "const gate = next && nowUs - (migration.lastStepUs ?? nowUs) < 75e6 && gateBefore(migration, next);\n  if (gate === false) return undefined;",
  ]),
  bug("two steps both write", "fair", [
    "adapters/dynamodb",
    " || before.revision !== expected || revision !== expected + 1)",
    ")",
  ]),
  bug("no result is a pass", "fair", ["migration", "return own.length === 0 || own.some(", "return own.some("]),
  bug("clean-up before OLD is quiet", "fair", ["migration", "observed < limit\n", "observed < 0\n"]),
  bug(
    "the hand-over stops at its first page",
    "lossy-old",
    ["migration", "const WRITE_MAX = 1_000;", "const WRITE_MAX = 1;"],
    ["migration", "at += WRITE_MAX) {", "at += events.length) {"],
    ["migration", "if (now.pass > 1 && now.lacking === 0)", "if (now.pass > 0)"],
  ),
  bug("a rollback that hands nothing over", "lossy-old", [
    "migration",
    'rolling_back: ["handover", "health.old", "consistency"]',
    'rolling_back: ["health.old"]',
  ]),
  bug("a rollback that leaves reads compared", "operators", [
    "migration",
    "COMPARES.has(state) ? basisPoints(plan.shadowPercent) : 0",
    "basisPoints(plan.shadowPercent)",
  ]),
  bug("a pause forgets the stage", "operators", [
    "migration",
    "state: migration.pausedFrom });",
    "state: migration.pausedFrom, stage: 0, stagePercent: 0 });",
  ]),
  bug("NEW answers for OLD before it has the past", "down", [
    "migration",
    'side === "new" ? isNewComplete :',
    'side === "new" ? true :',
  ]),
  bug("OLD stands in when it gets nothing any more", "operators", [
    "migration",
    "isOldComplete: !LEAVES_OLD.has(state)",
    "isOldComplete: true",
  ]),
  bug("nobody knows who answers, so NEW does", "fair", [
    "migration",
    "return place.known?.pointer;",
    "return undefined;",
  ]),
  bug("an order is carried out on something that its author has not seen", "operators", [
    "migration",
    "if (there.epoch !== epoch) throw stale(there, epoch);",
    "",
  ]),
  bug("a difference that counts is let through", "lossy-new", [
    "migration",
    'counted > 0 ? "fail"',
    'counted > 1e9 ? "fail"',
  ]),
  bug(
    "what the recorder gave after a crash is missed while it is on its way to OLD (ours)",
    "cut-old",
    [
      "migration",
      'const isOnItsWay = difference.class === "missing-in-old" && !isGiven(foundUs);',
      "const isOnItsWay = false;",
    ],
    ["migration", "(lackedByOld === 0 || isGiven(firstUs));", "true;"],
  ),
  bug("what is forced leaves its reason out of the audit", "operators", [
    "migration",
    "row, evidence, reason: by.reason, isForced: true });",
    'row, evidence, reason: "By hand.", isForced: true });',
  ]),
  bug("what is forced is not marked as such", "operators", [
    "migration",
    "row, evidence, reason: by.reason, isForced: true });",
    "row, evidence, reason: by.reason });",
  ]),
  bug("force wants no reason", "operators", [
    "migration",
    "if (by.force === true && by.reason)\n    return changed(",
    "if (by.force === true)\n    return changed(",
  ]),
  bug("a reader moved by hand goes with the others at the next stage", "operators", [
    "migration",
    "...(isBack && { row: { reason, ...(trigger && { trigger }) } }),",
    "row: { readers: {}, ...(isBack && { reason, ...(trigger && { trigger }) }) },",
  ]),
  bug("a reader moved by hand is not sticky", "operators", [
    "migration",
    "if (moved) return moved;",
    "if (moved && entityIds?.length !== 1) return moved;",
  ]),
  bug("a reader has the name of what every object has", "fair", [
    "migration",
    "reader !== undefined && Object.hasOwn(readers, reader) ? readers[reader] : undefined;\n  return side",
    "reader === undefined ? undefined : readers[reader];\n  return side",
  ]),
  bug("who was moved by hand stays where he is when all go", "operators", [
    "migration",
    "readers: GOES_BACK.has(state) || IS_NEWS.has(state) ? {} : readers",
    "readers",
  ]),
  bug("reads that NEW did not answer are no reads", "bad-new", [
    "migration",
    "mergeErrors(known.own, errorsOf(here))",
    "mergeErrors(known.own, errorsOf(here.filter(({ newError }) => newError === undefined)))",
  ]),
  bug("what is slow is taken for an outlier", "bad-new", [
    "migration",
    "if (pair.oldError !== undefined || pair.newError !== undefined) continue;",
    "if (pair.oldError !== undefined || pair.newError !== undefined || newMs > 2 * oldMs) continue;",
  ]),
  bug("the simple way switches before the copy is made and proved", "simple", [
    "migration/simple",
    '"check", "stop", "back-up", "switch", "validate"',
    '"check", "stop", "switch", "back-up", "validate"',
  ]),
  bug("the simple way goes on whatever its first look says", "simple", [
    "migration/simple",
    "findings: good(await ports.check())",
    "findings: [...(await ports.check())]",
  ]),
  bug("the simple way validates and does not mind", "simple", [
    "migration/simple",
    "good(await ports.validate(counts ?? { old: 0, new: 0 }))",
    "[...(await ports.validate(counts ?? { old: 0, new: 0 }))]",
  ]),
  bug(
    "the simple way goes on after somebody has ended it",
    "simple",
    [
      "migration/simple",
      "if (ENDED.has(there.state) && there.state !== place.state && !isBack)",
      "if (there.id === undefined)",
    ],
    [
      "migration/simple",
      'const isBack = there.state === "rolled_back" && place.state === "rolling_back";',
      "const isBack = false;",
    ],
  ),
];
