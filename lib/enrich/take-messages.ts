import { type ErrorCode, isHearthlineError } from "../base/errors.ts";
import { type Envelope, readEnvelope } from "../event/index.ts";
import {
  coversRange,
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
  /** The parts of the range that came in another envelope before. */
  readonly arrived: readonly SequenceRange[];
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
  readonly ledger: Pick<Ledger, "arrived">;
  readonly dead: Queue;
}

/** Opens each message by itself. What can never be opened is set aside with its reason; what fails otherwise goes to `failures`. */
export async function takeMessages(
  messages: readonly EventsMessage[],
  ports: TakePorts,
  failures: Failures,
): Promise<TakenMessages> {
  const deadCodes: ErrorCode[] = [];
  const open = async ({ messageId, body }: EventsMessage): Promise<FoundMessage | undefined> => {
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
  const known = await Promise.all(singles.map((message) => withArrived(message, ports.ledger, failures)));
  const judged = known.filter((message) => message !== undefined);
  return {
    taken: judged.filter((message) => !isWhole(message)),
    duplicates: judged.filter(isWhole),
    twins,
    deadCodes,
  };
}

type FoundMessage = Omit<TakenMessage, "arrived">;

const isWhole = ({ range, arrived }: TakenMessage): boolean => range !== undefined && coversRange(arrived, range);

/** undefined: the ledger could not say. */
async function withArrived(
  message: FoundMessage,
  ledger: Pick<Ledger, "arrived">,
  failures: Failures,
): Promise<TakenMessage | undefined> {
  const { messageId, envelope, range } = message;
  if (!range) return { ...message, arrived: [] };
  try {
    return { ...message, arrived: await ledger.arrived(envelope.home_id, envelope.relay_id, range) };
  } catch (thrown) {
    failures.set(messageId, thrown);
    return undefined;
  }
}

/** The queue may deliver one envelope twice in one batch. */
function withoutTwins(opened: readonly FoundMessage[]) {
  const singles: FoundMessage[] = [];
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
