import { hash } from "node:crypto";
import type { Clock } from "../base/clock.ts";
import { messageOf } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type { Microseconds } from "../base/time.ts";
import type { OutboxMessage } from "../event/index.ts";
import { nodeIdOf } from "../publish/index.ts";
import type { NewOutboxItem, OutboxStore } from "../publish/ports.ts";
import type { MigrationStore } from "./ports.ts";
import { type AuditEntry, ENDED, type Migration } from "./types.ts";

/** Where alerts go. Only `add` of the outbox: an item of the same `unique` is one. */
export interface AlertOutbox {
  add(item: NewOutboxItem): Promise<unknown>;
}

export interface AlertDeps {
  readonly outbox: AlertOutbox;
  readonly clock: Pick<Clock, "nowMs">;
  readonly log: Logger;
}

/** One thing that somebody should hear of. */
export interface Alert {
  /** Within the migration: the same cause in the same place is told once. */
  readonly cause: string;
  readonly title: string;
  readonly text: string;
  /** `problem`: something fails, or it goes back; `news`: it has gone on, or has ended. */
  readonly severity: "problem" | "news";
}

/** No step tells more. */
const ALERTS_MAX = 5;
const TEXT_MAX = 400;
const EXPIRES_MS = 86_400_000;
const UNIQUE_CHARACTERS = 16;

/** What of a row somebody should hear of: pure, so that the row says it again after a crash. */
export function alertsOf({ state, epoch, checks, lastChange, trigger, stagePercent }: Migration): readonly Alert[] {
  const place = stagePercent > 0 ? `${state}, ${stagePercent} %` : state;
  const isBack = state === "rolling_back";
  const hasFailed = checks.some(({ verdict }) => verdict === "fail");
  const news: Alert[] = [];
  // Each change once; where something fails that says more than where it stands.
  if (lastChange && (isBack || ENDED.has(state) || !hasFailed))
    news.push({
      cause: `${epoch} ${state}`,
      // What a repair adds while it goes back is no going back.
      title: (hasMoved(lastChange) ? TITLES[state] : undefined) ?? `Migration: ${place}`,
      text: `${lastChange.reason}${trigger ? ` (${trigger})` : ""}`,
      severity: isBack ? "problem" : "news",
    });
  const found = checks
    .filter(({ verdict, isAlert }) => verdict === "fail" || isAlert === true)
    .map(({ name, verdict, explanation }): Alert => {
      const what = verdict === "fail" ? "failed" : "should be looked at";
      return {
        cause: `${epoch} ${name}`,
        title: `Migration (${place}): ${name} ${what}`,
        text: explanation,
        severity: "problem",
      };
    });
  return [...news, ...found].slice(0, ALERTS_MAX).map((alert) => ({ ...alert, text: alert.text.slice(0, TEXT_MAX) }));
}

const hasMoved = ({ from, to, percentFrom, percentTo }: AuditEntry): boolean =>
  from !== to || percentFrom !== percentTo;

const TITLES: Readonly<Record<string, string>> = {
  rolling_back: "The migration goes back to OLD",
  rolled_back: "The migration has gone back to OLD",
  complete: "The migration is complete",
};

/**
 * The store, whose commits are told in the house: a sensor of Home Assistant that is on while something fails, with what and why as attributes. The outbox knows what it was given, so a step that is killed
 * after its commit leaves nothing untold and nothing told twice. That the outbox cannot take it holds up no step.
 */
export const withAlerts = (store: MigrationStore, deps: AlertDeps): MigrationStore => ({
  ...bound(store),
  async commit(next, commit) {
    await store.commit(next, commit);
    try {
      await tell(next, deps);
    } catch (thrown) {
      deps.log.warn("What happens to the migration cannot be told in the house.", {
        migration: next.id,
        error: messageOf(thrown),
      });
    }
  },
});

/** A store may be an object of a class. */
const bound = (store: MigrationStore): MigrationStore => ({
  create: (migration) => store.create(migration),
  get: (homeId, id) => store.get(homeId, id),
  list: (homeId) => store.list(homeId),
  underWay: () => store.underWay(),
  commit: (next, commit) => store.commit(next, commit),
  settle: (homeId, id) => store.settle(homeId, id),
  memory: (homeId, id, name) => store.memory(homeId, id, name),
  audit: (homeId, id) => store.audit(homeId, id),
  pointer: (homeId) => store.pointer(homeId),
  setPointer: (homeId, pointer) => store.setPointer(homeId, pointer),
  addPairs: (homeId, id, pairs) => store.addPairs(homeId, id, pairs),
  pairs: (homeId, id, afterUs) => store.pairs(homeId, id, afterUs),
  noteOldRead: (homeId, id, read) => store.noteOldRead(homeId, id, read),
  oldRead: (homeId, id) => store.oldRead(homeId, id),
  addDifferences: (homeId, id, found) => store.addDifferences(homeId, id, found),
  differences: (homeId, id) => store.differences(homeId, id),
});

async function tell(migration: Migration, { outbox, clock }: AlertDeps): Promise<void> {
  const alerts = alertsOf(migration);
  if (alerts.length === 0) return;
  const { homeId, id } = migration;
  const send = (cause: string, message: OutboxMessage) => {
    const createdAtMs = clock.nowMs();
    const unique = uniqueOf(id, cause);
    return outbox.add({ homeId, kind: "mqtt", message, unique, createdAtMs, expiresAtMs: createdAtMs + EXPIRES_MS });
  };
  await send("sensor", sensorMessage(homeId));
  for (const { cause, title, text, severity } of alerts.toReversed()) {
    const { state, stagePercent, epoch } = migration;
    const problem = severity === "problem" ? "ON" : "OFF";
    const payload = { problem, title, text, state, percent: stagePercent, epoch, migration: id };
    await send(cause, { topic: topicOf(homeId), payload: JSON.stringify(payload), qos: 1, retain: true });
  }
}

/** No other item's, and the same one for the same cause. */
const uniqueOf = (id: string, cause: string): string =>
  BigInt(`0x${hash("sha256", `${id}\n${cause}`, "hex")}`)
    .toString(36)
    .slice(0, UNIQUE_CHARACTERS);

/**
 * A message on the way of every alert, to a topic below that nobody is shown; not kept by the broker. The same attempt is one item, whose fate each further call gives.
 * @throws `outbox_full`, fate-`retry` service errors
 */
export async function tryAlert(
  outbox: Pick<OutboxStore, "add">,
  { homeId, id }: Pick<Migration, "homeId" | "id">,
  { attemptUs, expiresAfterUs }: { readonly attemptUs: Microseconds; readonly expiresAfterUs: Microseconds },
): Promise<{ readonly status: string; readonly error?: string }> {
  const createdAtMs = attemptUs / 1000;
  const payload = JSON.stringify({ trial: true, migration: id });
  const { item } = await outbox.add({
    ...{ homeId, kind: "mqtt", unique: uniqueOf(id, `trial ${attemptUs}`) },
    message: { topic: `${topicOf(homeId)}/trial`, payload, qos: 1, retain: false },
    ...{ createdAtMs, expiresAtMs: createdAtMs + expiresAfterUs / 1000 },
  });
  const { status, error } = item;
  return { status, ...(error !== undefined && { error }) };
}

/** `hearthline/<home>/migration`: the newest that somebody should hear of. */
const topicOf = (homeId: string): string => `hearthline/${homeId}/migration`;

/** An entity of Hearthline's own device: an automation of the owner can call him by it. */
function sensorMessage(homeId: string): OutboxMessage {
  const node = nodeIdOf(homeId);
  const uniqueId = `${node}_migration`;
  const config = {
    name: "Migration",
    unique_id: uniqueId,
    device_class: "problem",
    entity_category: "diagnostic",
    state_topic: topicOf(homeId),
    value_template: "{{ value_json.problem }}",
    json_attributes_topic: topicOf(homeId),
    qos: 1,
    device: { identifiers: [node], name: "Hearthline", manufacturer: "Hearthline" },
    origin: { name: "hearthline" },
  };
  return {
    topic: `homeassistant/binary_sensor/${node}/${uniqueId}/config`,
    payload: JSON.stringify(config),
    qos: 1,
    retain: true,
  };
}
