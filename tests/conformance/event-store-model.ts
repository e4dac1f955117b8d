import { isDeepStrictEqual } from "node:util";
import { expect } from "vitest";
import { isHearthlineError } from "../../lib/base/errors.ts";
import { type HomeEvent, naturalKey } from "../../lib/event/index.ts";
import type { EventStore, RangeQuery } from "../../lib/store/ports.ts";
import { HOME_IDS } from "../support/events.ts";
import type { Command } from "./event-store-commands.ts";
import {
  aggregatesOf,
  createModel,
  type EventStoreTraits,
  type EventStoreUnderTest,
  type Model,
  OLDEST,
  readAll,
  scanAll,
  tilesOf,
} from "./event-store-support.ts";

interface Run {
  readonly under: EventStoreUnderTest;
  readonly model: Model;
  readonly traits: EventStoreTraits;
  store: EventStore;
}

/** Does to the store and to the model the same, and compares what both answer; in the end also after a crash. */
export async function followModel(
  under: EventStoreUnderTest,
  commands: readonly Command[],
  traits: EventStoreTraits = {},
): Promise<void> {
  const run: Run = { under, model: createModel(), traits, store: under.store };
  for (const command of commands) await step(run, command);
  if (under.crash) run.store = await under.crash();
  for (const homeId of HOME_IDS.slice(0, 3)) {
    expect(await readAll(run.store, { homeId, ...OLDEST })).toEqual(run.model.events(homeId));
    expect(await scanAll(run.store, { homeId })).toEqual(run.model.events(homeId));
  }
}

async function step(run: Run, command: Command): Promise<void> {
  const { under, model, store } = run;
  switch (command.do) {
    case "reopen":
      run.store = await under.reopen();
      return;
    case "crash":
      run.store = await (under.crash ?? under.reopen)();
      return;
    case "write":
      await store.write(command.events);
      model.write(command.events);
      return;
    case "write at once":
      return writeAtOnce(run, command.batches);
    case "broken write":
      return brokenWrite(run, command);
    case "broken compact": {
      const mend = under.breakNext?.(command.choice);
      await store.compact(command.homeId, command.beforeUs).catch(expectRetry);
      return mend?.();
    }
    case "compact":
      return store.compact(command.homeId, command.beforeUs);
    case "compact twice":
      await Promise.all([1, 2].map(() => store.compact(command.homeId, command.beforeUs)));
      return;
    case "compact and write":
      await Promise.all([store.compact(command.homeId, command.beforeUs), store.write(command.events)]);
      model.write(command.events);
      return;
    case "prune":
      expect(await store.prune(command.homeId, command.beforeUs)).toBe(
        run.traits.isPruned === false ? 0 : model.prune(command.homeId, command.beforeUs),
      );
      return;
    default:
      return compare(run, command);
  }
}

type Question = Extract<Command, { readonly do: "range" | "aggregate" | "tiles" | "stats" | "oldest" }>;

async function compare({ store, model }: Run, asked: Question): Promise<void> {
  const events = model.events(asked.do === "stats" || asked.do === "oldest" ? asked.homeId : asked.query.homeId);
  switch (asked.do) {
    case "range": {
      const wanted = events.filter(matcherOf(asked.query));
      const found = await readAll(store, asked.query);
      const { homeId, entityIds, fromUs, toUs } = asked.query;
      const span = { homeId, ...(entityIds && { entityIds }), ...(fromUs && { fromUs }), ...(toUs && { toUs }) };
      expect(await scanAll(store, span)).toEqual(events.filter(matcherOf({ ...span, order: "asc", limit: 1 })));
      return expect(found).toEqual(asked.query.order === "asc" ? wanted : wanted.toReversed());
    }
    case "aggregate":
      return expect(await store.aggregate(asked.query)).toEqual(await aggregatesOf(events, asked.query));
    case "tiles":
      return expect(await store.tiles(asked.query)).toEqual(tilesOf(events, asked.query));
    case "oldest":
      return expect((await store.retention(asked.homeId)).oldestUs).toBe(events[0]?.atUs);
    case "stats": {
      const { homeId, fromUs, toUs } = asked;
      const inside = events.filter((event) => event.atUs >= fromUs && event.atUs < toUs);
      const entities = [...Map.groupBy(inside, ({ entityId }) => entityId)].sort(([a], [b]) => (a < b ? -1 : 1));
      const found = await store.stats({ homeId, fromUs, toUs });
      expect(found.map(({ bytes }) => bytes).filter((bytes) => !Number.isInteger(bytes) || bytes < 0)).toEqual([]);
      expect(found.map(({ entityId, count, firstUs, lastUs }) => [entityId, count, firstUs, lastUs])).toEqual(
        entities.map(([entityId, own]) => [entityId, own.length, own[0]?.atUs, own.at(-1)?.atUs]),
      );
    }
  }
}

const matcherOf =
  ({ entityIds, areaId, deviceId, domain, fromUs = 0, toUs = 9e15 }: RangeQuery) =>
  (event: HomeEvent): boolean =>
    event.atUs >= fromUs &&
    event.atUs < toUs &&
    (!entityIds || entityIds.includes(event.entityId)) &&
    (areaId === undefined || event.areaId === areaId) &&
    (deviceId === undefined || event.deviceId === deviceId) &&
    (domain === undefined || event.domain === domain);

const expectRetry = (thrown: unknown): void => {
  if (!isHearthlineError(thrown)) throw thrown;
  expect(thrown).toMatchObject({ fate: "retry" });
};

/** Batches that meet at no key come in any order. */
async function writeAtOnce({ store, model }: Run, batches: readonly (readonly HomeEvent[])[]): Promise<void> {
  const seen = new Set<string>();
  const apart = batches.map((batch) => {
    const own = batch.filter((event) => !seen.has(naturalKey(event)));
    for (const event of own) seen.add(naturalKey(event));
    return own;
  });
  await Promise.all(apart.map((batch) => store.write(batch)));
  for (const batch of apart) model.write(batch);
}

/** A write that fails leaves all of it or nothing, or, where the store does not promise that, each event as it was or as it was written; and it can be repeated. */
async function brokenWrite(run: Run, command: Extract<Command, { do: "broken write" }>): Promise<void> {
  const { under, model, store, traits } = run;
  const { events, choice, isRetried } = command;
  if (!under.breakNext) {
    await store.write(events);
    model.write(events);
    return;
  }
  const mend = under.breakNext(choice);
  const thrown = await store.write(events).then(
    () => undefined,
    (failure: unknown) => failure ?? "nothing",
  );
  mend();
  const hasFailed = thrown !== undefined;
  if (hasFailed) expectRetry(thrown);
  if (isRetried || !hasFailed) {
    if (hasFailed) await store.write(events);
    model.write(events);
    return;
  }
  if (choice % 2 === 0 && under.crash) run.store = await under.crash();
  const homes = [...new Set(events.map((event) => event.homeId))];
  const before = homes.flatMap((homeId) => model.events(homeId));
  const left: HomeEvent[] = [];
  for (const homeId of homes) left.push(...(await readAll(run.store, { homeId, ...OLDEST })));
  if (traits.isTransactional === false) expectPartly(left, before, events);
  else if (!isDeepStrictEqual(left, before)) {
    const whole = createModel();
    whole.write(before);
    whole.write(events);
    expect(left).toEqual(homes.flatMap((homeId) => whole.events(homeId)));
  }
  for (const homeId of homes) model.prune(homeId, Number.POSITIVE_INFINITY);
  model.write(left);
}

/** Each event for itself is as it was or as it was written, and none has gone. */
function expectPartly(left: readonly HomeEvent[], before: readonly HomeEvent[], written: readonly HomeEvent[]): void {
  const candidates = Map.groupBy([...before, ...written], naturalKey);
  const there = new Set(left.map(naturalKey));
  for (const event of left) expect(candidates.get(naturalKey(event))).toContainEqual(event);
  for (const event of before) expect(there).toContain(naturalKey(event));
}
