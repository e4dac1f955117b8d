import type { Clock } from "../base/clock.ts";
import { HearthlineError, isHearthlineError } from "../base/errors.ts";
import type { Random } from "../base/random.ts";
import { retry } from "../base/retry.ts";
import { formatIsoUs } from "../base/time.ts";
import { asSentence } from "./explain.ts";
import {
  abort,
  advance,
  type By,
  isStarted,
  moveReader,
  newMigration,
  pause,
  pointerOf,
  resume,
  rollback,
  start,
} from "./machine.ts";
import { wordsOf } from "./places.ts";
import type { Plan } from "./plan.ts";
import type { MigrationStore } from "./ports.ts";
import type { Migration } from "./types.ts";

/** What people do to migrations: each change names the epoch that its author saw, is one compare-and-set, and sets the pointer at once. */

export interface ControlParts {
  readonly store: Pick<MigrationStore, "create" | "get" | "commit" | "setPointer">;
  readonly clock: Clock;
  readonly random: Random;
  /** Of a migration, and of the salt that decides which entities are NEW's first. */
  readonly newId: () => string;
}

/** A person's change. `epoch`: the one that he saw. */
export interface Order extends Omit<By, "nowUs"> {
  readonly homeId: string;
  readonly id: string;
  readonly epoch: number;
}

/** undefined: the home has no such migration. Every change: @throws HearthlineError `migration_stale`, `migration_state_wrong`, `migration_refused`, fate-`retry` service errors (look again what has become of it) */
export interface Control {
  /** @throws HearthlineError `migration_exists` */
  plan(homeId: string, plan: Plan, actor: string): Promise<Migration>;
  start(order: Order): Promise<Migration | undefined>;
  pause(order: Order): Promise<Migration | undefined>;
  resume(order: Order): Promise<Migration | undefined>;
  advance(order: Order): Promise<Migration | undefined>;
  rollback(order: Order & { readonly at: "once" | "stepwise" }): Promise<Migration | undefined>;
  abort(order: Order): Promise<Migration | undefined>;
  moveReader(
    order: Order & { readonly reader: string; readonly to: "old" | "new" | undefined },
  ): Promise<Migration | undefined>;
}

/** Steps write the row too, without changing its epoch: a person is not sent away for that. */
const ATTEMPTS = 5;

export function createControl(parts: ControlParts): Control {
  const { store, clock, random, newId } = parts;
  const nowUs = () => clock.nowMs() * 1000;

  async function changeOnce({ homeId, id, epoch }: Order, make: (there: Migration) => Migration) {
    const there = await store.get(homeId, id);
    if (!there) return undefined;
    if (there.epoch !== epoch) throw stale(there, epoch);
    const next = make(there);
    await store.commit(next, { expected: there.revision });
    return next;
  }

  /** The row first: whoever dies in between leaves a row from which the next step sets the pointer. */
  async function change(order: Order, make: (there: Migration, by: By) => Migration): Promise<Migration | undefined> {
    const { homeId, id: _id, epoch: _epoch, ...by } = order;
    const next = await retry(() => changeOnce(order, (there) => make(there, { ...by, nowUs: nowUs() })), {
      clock,
      random,
      attempts: ATTEMPTS,
      baseMs: 20,
      // Another epoch stays another one; only a revision is tried again.
      isRetryable: (thrown) => isHearthlineError(thrown) && thrown.code === "migration_stale" && !isEpochStale(thrown),
    });
    // One that was never started has no say in who answers, also not when it ends so.
    if (next && isStarted(next))
      await retry(() => store.setPointer(homeId, pointerOf(next)), { clock, random, attempts: ATTEMPTS });
    return next;
  }

  return {
    async plan(homeId, plan, actor) {
      const migration = newMigration(plan, { homeId, id: newId(), salt: newId(), nowUs: nowUs(), actor });
      await store.create(migration);
      return migration;
    },
    start: (order) => change(order, start),
    pause: (order) => change(order, pause),
    resume: (order) => change(order, resume),
    advance: (order) => change(order, advance),
    rollback: (order) => change(order, (there, by) => rollback(there, { ...by, at: order.at })),
    abort: (order) => change(order, abort),
    moveReader: (order) =>
      change(order, (there, by) => moveReader(there, { ...by, reader: order.reader, to: order.to })),
  };
}

const EPOCH_STALE = Symbol("epoch");
const isEpochStale = ({ cause }: HearthlineError): boolean => cause === EPOCH_STALE;

/** Says what has happened since, so that the second of two people knows what the first did. */
function stale({ id, epoch, state, stagePercent, lastChange }: Migration, seen: number): HearthlineError {
  const change = lastChange
    ? ` The last change, by "${lastChange.actor}" at ${formatIsoUs(lastChange.atUs)}: ${asSentence(lastChange.reason)}`
    : "";
  return new HearthlineError(
    "migration_stale",
    `Migration "${id}" was to be changed as of epoch ${seen}; it is at epoch ${epoch} now, in ${wordsOf({ state, stage: 0, stagePercent })}.${change} Look at it again before you decide.`,
    { cause: EPOCH_STALE },
  );
}
