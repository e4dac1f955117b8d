import type { Change } from "./variants.ts";
import type { Kind } from "./weather.ts";

/** A bug that somebody has had, and the weather in which it shows. */
export interface Bug {
  readonly name: string;
  readonly weather: Kind;
  readonly changes: readonly Change[];
}

const at = (under: string, from: string, to: string): Change => ({ under, from, to });

export const BUGS: readonly Bug[] = [
  {
    name: "a closed upper bound: a row of the very end is in two spans",
    weather: "fair",
    changes: [at("adapters/memory/event-store.ts", "(event) => event.atUs < toUs)", "(event) => event.atUs <= toUs)")],
  },
  {
    name: "sums by xor: what is there twice is not there at all",
    weather: "lossy-new",
    changes: [
      at("migration", "const a = to.aLow + (lanes[0] as number);", "const a = (to.aLow ^ (lanes[0] as number)) >>> 0;"),
      at(
        "migration",
        "to.aHigh = (to.aHigh + (lanes[1] as number) + (a >= LIMIT ? 1 : 0)) >>> 0;",
        "to.aHigh = (to.aHigh ^ (lanes[1] as number)) >>> 0;",
      ),
      at("migration", "const b = to.bLow + (lanes[2] as number);", "const b = (to.bLow ^ (lanes[2] as number)) >>> 0;"),
      at(
        "migration",
        "to.bHigh = (to.bHigh + (lanes[3] as number) + (b >= LIMIT ? 1 : 0)) >>> 0;",
        "to.bHigh = (to.bHigh ^ (lanes[3] as number)) >>> 0;",
      ),
      at("migration", "a.count === b.count && a.aLow", "a.aLow"),
    ],
  },
  {
    name: "the switch before the lag is drained",
    weather: "cut-old",
    changes: [at("migration", "observed > limit || (", "observed < 0 && (")],
  },
  {
    name: "an old word of the relay is taken for a new one",
    weather: "cut-new",
    changes: [at("migration", "if (ageSeconds > Math.max(STATUS_OLD_SECONDS", "if (ageSeconds > Math.max(1e9")],
  },
  {
    name: "OLD's lag as it was when the relay spoke (ours, found by this model)",
    weather: "cut-old",
    changes: [
      at("migration", "old.lagSeconds + Math.max(0, (nowMs - Date.parse(status.at)) / 1000)", "old.lagSeconds"),
    ],
  },
  {
    name: "what checks remember is not kept",
    weather: "fair",
    changes: [
      at("adapters/dynamodb", "...Object.fromEntries(Object.keys(memories).map((name) => [name, write])) };", "};"),
    ],
  },
  {
    name: "the authority is not monotone: buckets move with the percentage",
    weather: "fair",
    changes: [
      at(
        "migration",
        "entityIds.every((entityId) => bucketOf(homeId, entityId, salt) < basisPoints)",
        "entityIds.every((entityId) => (bucketOf(homeId, entityId, salt) * (basisPoints / 100 + 1)) % BUCKETS < basisPoints)",
      ),
    ],
  },
  {
    name: "a salt of each stage",
    weather: "fair",
    changes: [at("migration/pointer.ts", "    salt,\n", "    salt: salt + stagePercent,\n")],
  },
  {
    name: "of several entities one is enough",
    weather: "fair",
    changes: [at("migration", "return entityIds.every((", "return entityIds.some((")],
  },
  {
    name: "the relay's cursor moves before the sink has answered",
    weather: "cut-new",
    changes: [
      at(
        "relay/ship.ts",
        "this.#slots.push(slot);",
        "this.#slots.push(slot);\n      this.#takenUpTo = Math.max(this.#takenUpTo, slot.last);",
      ),
    ],
  },
  {
    name: "the back-fill's place moves before the queue has taken it",
    weather: "cut-new",
    changes: [
      at("migration", "this.landed = state.pending.length === 0 ? state : this.#state;", "this.landed = state;"),
    ],
  },
  {
    name: "the back-fill's next slice begins one too late",
    weather: "fair",
    changes: [
      at(
        "adapters/legacy/old-past.ts",
        "const nextUs = (piece.at(-1)?.atUs ?? firstUs) + 1;",
        "const nextUs = (piece.at(-1)?.atUs ?? firstUs) + 2;",
      ),
    ],
  },
  {
    name: "the pointer before the row",
    weather: "fair",
    changes: [
      at(
        "migration",
        "    try {\n      await store.commit(next",
        "    await point(next);\n    try {\n      await store.commit(next",
      ),
    ],
  },
  {
    name: "a pointer without a fence",
    weather: "operators",
    changes: [
      at(
        "adapters/dynamodb",
        'await table.put({ ...key, fence, data }, { expression: isNotLater, values: { ":fence": fence } });',
        "await table.put({ ...key, fence, data });",
      ),
    ],
  },
  {
    name: "a pointer that is known is never read again",
    weather: "operators",
    changes: [
      at(
        "migration",
        "if (age <= (known.pointer ? FRESH_MS : NONE_FRESH_MS))",
        "if (known.pointer || age <= NONE_FRESH_MS)",
      ),
    ],
  },
  {
    name: "a step that dies after the row leaves the pointer where it was",
    weather: "lossy-old",
    changes: [at("migration", "if (isStarted(migration)) await point(migration);", "")],
  },
  {
    name: "an epoch is missing in the audit after a crash",
    weather: "fair",
    changes: [
      at(
        "adapters/dynamodb",
        "if (current.lastChange?.epoch !== next.lastChange?.epoch) await noteChange(current);",
        "",
      ),
    ],
  },
  {
    name: "an epoch is in the audit twice",
    weather: "fair",
    changes: [
      at(
        "adapters/dynamodb",
        "...migrationAuditKey(homeId, { id, epoch: lastChange.epoch }),",
        "...migrationAuditKey(homeId, { id, epoch: 1000 * lastChange.epoch + (table.clock.nowMs() % 1000) }),",
      ),
    ],
  },
  {
    name: "no second look before a part counts as down",
    weather: "fair",
    changes: [
      at(
        "migration",
        "const isCertain = clock.nowMs() >= certainMs && (looks > 1 || recheck.failingSinceUs !== undefined);",
        "const isCertain = true;",
      ),
    ],
  },
  {
    name: "a difference counts at once",
    weather: "fair",
    changes: [at("migration", "look.atUs > foundUs && look.atUs - foundUs >= recheckUs;", "look.atUs >= foundUs;")],
  },
  {
    name: "a soak goes on over a failure",
    weather: "cut-old",
    changes: [at("migration", 'if (verdict === "fail") return undefined;', "")],
  },
  {
    name: "a soak is never waited for",
    weather: "fair",
    changes: [at("migration", "if (goodSeconds < wantedSeconds)", "if (goodSeconds < 0)")],
  },
  {
    name: "a step that is late finds the gate open",
    weather: "fair",
    changes: [
      at(
        "migration",
        "const gate = next && gateBefore(migration, next);",
        "const gate = next && nowUs - (migration.lastStepUs ?? nowUs) < 75e6 && gateBefore(migration, next);\n  if (gate === false) return undefined;",
      ),
    ],
  },
  {
    name: "two steps both write",
    weather: "fair",
    changes: [at("adapters/dynamodb", " || before.revision !== expected || revision !== expected + 1)", ")")],
  },
  {
    name: "no result is a pass",
    weather: "fair",
    changes: [at("migration", "return own.length === 0 || own.some(", "return own.some(")],
  },
  {
    name: "clean-up before OLD is quiet",
    weather: "fair",
    changes: [at("migration", "observed < limit\n", "observed < 0\n")],
  },
  {
    name: "the hand-over stops at its first page",
    weather: "lossy-old",
    changes: [
      at("migration", "const WRITE_MAX = 1_000;", "const WRITE_MAX = 1;"),
      at("migration", "at += WRITE_MAX) {", "at += events.length) {"),
      at("migration", "if (now.pass > 1 && now.lacking === 0)", "if (now.pass > 0)"),
    ],
  },
  {
    name: "a rollback that hands nothing over",
    weather: "lossy-old",
    changes: [
      at("migration", 'rolling_back: ["handover", "health.old", "consistency"]', 'rolling_back: ["health.old"]'),
    ],
  },
  {
    name: "a rollback that leaves reads compared",
    weather: "operators",
    changes: [
      at("migration", "COMPARES.has(state) ? basisPoints(plan.shadowPercent) : 0", "basisPoints(plan.shadowPercent)"),
    ],
  },
  {
    name: "a pause forgets the stage",
    weather: "operators",
    changes: [
      at("migration", "state: migration.pausedFrom });", "state: migration.pausedFrom, stage: 0, stagePercent: 0 });"),
    ],
  },
  {
    name: "NEW answers for OLD before it has the past",
    weather: "down",
    changes: [at("migration", 'side === "new" ? isNewComplete :', 'side === "new" ? true :')],
  },
  {
    name: "nobody knows who answers, so NEW does",
    weather: "fair",
    changes: [at("migration", "return place.known?.pointer;", "return undefined;")],
  },
  {
    name: "an order is carried out on something that its author has not seen",
    weather: "operators",
    changes: [at("migration", "if (there.epoch !== epoch) throw stale(there, epoch);", "")],
  },
  {
    name: "a difference that counts is let through",
    weather: "lossy-new",
    changes: [at("migration", 'counted > 0 ? "fail"', 'counted > 1e9 ? "fail"')],
  },
];
