import { HearthlineError, isHearthlineError } from "../base/errors.ts";
import { type HomeEvent, isEventsRefused, type RefusedEvent } from "../event/index.ts";
import { deadMessage, packBatch, presenceOfBatch, unpackBatch } from "../ingest/index.ts";
import type { BatchOrigin, HomePresence, Queue, QueueMessage } from "../ingest/ports.ts";
import type { EventStore } from "./ports.ts";
import { parseHomeEvent } from "./schema.ts";

/** One message of the store queue. */
export interface StoreMessage {
  readonly messageId: string;
  readonly body: string;
}

export interface StoreMessagesOptions<M extends StoreMessage> {
  readonly store: EventStore;
  readonly homes: HomePresence;
  /** Where events and messages go that can never be stored, each with its reason. */
  readonly dead: Queue;
  /** Told about each message that shall come again. */
  readonly onFailure?: (message: M, thrown: unknown) => void;
}

export interface StoreOutcome {
  /** Ids of the messages that shall come again. */
  readonly failed: readonly string[];
  /** Events written. */
  readonly stored: number;
  /** Events, and messages that could not be unpacked, set aside with their reason. */
  readonly setAside: number;
  /** Messages of homes that were removed: they are of nobody, and done with. */
  readonly dropped: number;
}

interface Unpacked<M extends StoreMessage> {
  readonly message: M;
  /** undefined: it could not be unpacked. */
  readonly origin: BatchOrigin | undefined;
  readonly events: readonly HomeEvent[];
  /** What the store refuses is added. */
  readonly dead: QueueMessage[];
}

/**
 * Stores the events of some messages, all in one write. What is malformed, or refused by the store (`EventsRefused`), goes to the dead-letter queue alone,
 * its neighbours are stored.
 * A message counts as done only when all of its events are durable or set aside; doing it again changes nothing.
 */
export async function storeMessages<M extends StoreMessage>(
  messages: readonly M[],
  options: StoreMessagesOptions<M>,
): Promise<StoreOutcome> {
  const failed = new Set<string>();
  const fail = (message: M, thrown: unknown) => {
    failed.add(message.messageId);
    options.onFailure?.(message, thrown);
  };
  const all = messages.map((message) => unpack(message));
  const { unpacked, dropped } = await withoutRemovedHomes(all, options.homes, fail);
  const withEvents = unpacked.filter(({ events }) => events.length > 0);
  const stored = withEvents.length === 0 ? 0 : await writeTogether(withEvents, options.store, fail);
  // Afterwards, so that a message which comes again because the store is away sets nothing aside twice.
  const setAside = await sendDead(
    unpacked.filter(({ message, dead }) => dead.length > 0 && !failed.has(message.messageId)),
    options.dead,
    fail,
  );
  return { failed: [...failed], stored, setAside, dropped };
}

async function withoutRemovedHomes<M extends StoreMessage>(
  all: readonly Unpacked<M>[],
  homes: HomePresence,
  fail: Fail<M>,
): Promise<{ readonly unpacked: readonly Unpacked<M>[]; readonly dropped: number }> {
  const presence = presenceOfBatch(homes);
  const fates = await Promise.all(
    all.map(async ({ message, origin }) => {
      try {
        return origin === undefined || (await presence.of(origin)) ? "wanted" : "dropped";
      } catch (thrown) {
        fail(message, thrown);
        return "failed";
      }
    }),
  );
  const of = (fate: (typeof fates)[number]) => all.filter((_, at) => fates[at] === fate);
  return { unpacked: of("wanted"), dropped: of("dropped").length };
}

function unpack<M extends StoreMessage>(message: M): Unpacked<M> {
  let batch: ReturnType<typeof unpackBatch>;
  try {
    batch = unpackBatch(message.body);
  } catch (thrown) {
    if (!isHearthlineError(thrown)) throw thrown;
    return { message, origin: undefined, events: [], dead: [deadMessage(message.body, thrown)] };
  }
  const { lines, ...origin } = batch;
  const { homeId } = origin;
  const events: HomeEvent[] = [];
  const dead: QueueMessage[] = [];
  for (const line of lines) {
    try {
      events.push(parseHomeEvent(line, homeId));
    } catch (thrown) {
      if (!isHearthlineError(thrown)) throw thrown;
      dead.push(...deadLetters(origin, parsedOrText(line), thrown));
    }
  }
  return { message, origin, events, dead };
}

/** A message of its own, of the queue's own form: when it is sent back, it is read like any other. */
const deadLetters = (origin: BatchOrigin, event: unknown, error: HearthlineError): QueueMessage[] =>
  packBatch(origin, [event]).map((body) => ({
    body,
    attributes: { ...deadMessage(body, error).attributes, home_id: origin.homeId },
  }));

/** A line that is no JSON travels as a JSON string. */
function parsedOrText(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return line;
  }
}

type Fail<M> = (message: M, thrown: unknown) => void;

/** When it fails, only the messages with something to set aside come again. */
async function sendDead<M extends StoreMessage>(
  unpacked: readonly Unpacked<M>[],
  queue: Queue,
  fail: Fail<M>,
): Promise<number> {
  const dead = unpacked.flatMap((each) => each.dead);
  if (dead.length === 0) return 0;
  try {
    await queue.send(dead);
    return dead.length;
  } catch (thrown) {
    for (const { message } of unpacked) fail(message, thrown);
    return 0;
  }
}

/** One transaction for all. An error that is not of the store's own is perhaps one message's fault: then each is written by itself. */
async function writeTogether<M extends StoreMessage>(
  unpacked: readonly Unpacked<M>[],
  store: EventStore,
  fail: Fail<M>,
): Promise<number> {
  const events = unpacked.flatMap((each) => each.events);
  try {
    await store.write(events);
    return events.length;
  } catch (thrown) {
    if (isEventsRefused(thrown)) {
      setRefusedAside(unpacked, thrown.refused);
      return events.length - thrown.refused.length;
    }
    if (unpacked.length === 1 || isHearthlineError(thrown)) {
      for (const { message } of unpacked) fail(message, thrown);
      return 0;
    }
  }
  let stored = 0;
  for (const each of unpacked) stored += await writeTogether([each], store, fail);
  return stored;
}

/** Each to the message that it came in, whose other events are stored. */
function setRefusedAside<M extends StoreMessage>(
  unpacked: readonly Unpacked<M>[],
  refused: readonly RefusedEvent[],
): void {
  for (const { event, code, reason } of refused) {
    const error = new HearthlineError(code, `The store refused the event: ${reason}`);
    const found = unpacked.find(({ events }) => events.includes(event));
    found?.dead.push(...deadLetters(found.origin ?? { homeId: event.homeId }, event, error));
  }
}
