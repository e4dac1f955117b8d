import { type ErrorCode, isHearthlineError } from "../base/errors.ts";
import { type Envelope, readEnvelope } from "../event/index.ts";
import {
  deadMessage,
  type HomeKeys,
  type Ledger,
  type OpenedMessage,
  openMessage,
  type Queue,
  type SequenceRange,
} from "../ingest/index.ts";

/** One message of the events queue. */
export interface EventsMessage {
  readonly messageId: string;
  readonly body: string;
}

/** Collects what failed: those messages come again. */
export type Failures = Map<string, unknown>;

/** An envelope whose records are wanted. */
export interface TakenMessage extends OpenedMessage {
  readonly messageId: string;
  /** undefined: its records have no numbers. */
  readonly range: SequenceRange | undefined;
}

export interface TakenMessages {
  readonly taken: readonly TakenMessage[];
  /** Envelopes that are recorded whole already. */
  readonly duplicates: readonly TakenMessage[];
  /** Messages that carry the same envelope as another one of the batch, and which: they share its fate. */
  readonly twins: ReadonlyMap<string, string>;
  /** Why messages were set aside as they came, one code each. */
  readonly deadCodes: readonly ErrorCode[];
}

export interface TakePorts {
  readonly keys: Pick<HomeKeys, "find">;
  readonly ledger: Pick<Ledger, "has">;
  readonly dead: Queue;
}

/** Opens each message by itself. What can never be opened is set aside with its reason; what fails otherwise goes to `failures`. */
export async function takeMessages(
  messages: readonly EventsMessage[],
  ports: TakePorts,
  failures: Failures,
): Promise<TakenMessages> {
  const deadCodes: ErrorCode[] = [];
  const open = async ({ messageId, body }: EventsMessage): Promise<TakenMessage | undefined> => {
    let envelope: Envelope | undefined;
    try {
      envelope = readEnvelope(body);
      const opened = await openMessage(envelope, ports.keys);
      const { first, last } = envelope;
      return { ...opened, messageId, range: first === 0 && last === 0 ? undefined : [first, last] };
    } catch (thrown) {
      const isHopeless = isHearthlineError(thrown) && thrown.fate === "dead-letter";
      try {
        if (!isHopeless) throw thrown;
        await ports.dead.send([deadMessage(body, thrown, envelope)]);
        deadCodes.push(thrown.code);
      } catch (failure) {
        failures.set(messageId, failure);
      }
      return undefined;
    }
  };
  const opened = (await Promise.all(messages.map(open))).filter((message) => message !== undefined);
  const { singles, twins } = withoutTwins(opened);
  const isDuplicate = await Promise.all(singles.map((message) => isRecorded(message, ports.ledger, failures)));
  return {
    taken: singles.filter((_, at) => isDuplicate[at] === false),
    duplicates: singles.filter((_, at) => isDuplicate[at] === true),
    twins,
    deadCodes,
  };
}

/** undefined: the ledger could not say. */
async function isRecorded(
  { messageId, envelope, range }: TakenMessage,
  ledger: Pick<Ledger, "has">,
  failures: Failures,
): Promise<boolean | undefined> {
  if (!range) return false;
  try {
    return await ledger.has(envelope.home_id, envelope.relay_id, range);
  } catch (thrown) {
    failures.set(messageId, thrown);
    return undefined;
  }
}

/** The queue may deliver one envelope twice in one batch. */
function withoutTwins(opened: readonly TakenMessage[]) {
  const singles: TakenMessage[] = [];
  const twins = new Map<string, string>();
  const firstOf = new Map<string, string>();
  for (const message of opened) {
    // Equal signatures are equal envelopes.
    const name = message.envelope.mac;
    const first = firstOf.get(name);
    if (first !== undefined) twins.set(message.messageId, first);
    else {
      firstOf.set(name, message.messageId);
      singles.push(message);
    }
  }
  return { singles, twins };
}
