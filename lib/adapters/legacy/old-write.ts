import { isHearthlineError } from "../../base/errors.ts";
import { formatIsoUs } from "../../base/time.ts";
import type { EventRecord, HomeEvent } from "../../event/index.ts";
import type { OldSystem } from "../../migration/ports.ts";
import type { RelaySink, SinkMessage, SinkPiece } from "../../relay/ports.ts";

type Written = Awaited<ReturnType<OldSystem["write"]>>;
type Refused = Written["refused"][number];

export interface WriteThrough {
  readonly sink: RelaySink;
  /** One event in OLD's form; undefined: OLD holds none of this. @throws what makes it impossible to write */
  readonly encode: (record: EventRecord) => string | undefined;
  /** Why `encode` gave nothing. */
  readonly notHeld: string;
  readonly maxEvents: number;
}

/**
 * Hands events over by the same sink, in the same form, as the relay does. What a message does not say to the event is found by halves: writing again changes nothing.
 * @throws HearthlineError what the sink fails with; what was written before stays
 */
export async function writeThrough(events: readonly HomeEvent[], options: WriteThrough): Promise<Written> {
  const { encode, notHeld, maxEvents } = options;
  const refused: Refused[] = [];
  const pieces: SinkPiece[] = [];
  for (const [at, event] of events.entries()) {
    try {
      const text = encode(recordOf(event));
      if (text === undefined) refused.push({ event, reason: notHeld });
      else pieces.push({ first: at, last: at, text });
    } catch (thrown) {
      if (!isHearthlineError(thrown)) throw thrown;
      refused.push({ event, reason: thrown.message });
    }
  }
  const refuse = ({ first }: SinkPiece, reason: string) => {
    const event = events[first];
    if (event) refused.push({ event, reason });
  };
  for (let at = 0; at < pieces.length; at += maxEvents)
    await send(pieces.slice(at, at + maxEvents), options.sink, refuse);
  return { taken: events.length - refused.length, refused };
}

type Refuse = (piece: SinkPiece, reason: string) => void;

async function send(pieces: readonly SinkPiece[], sink: RelaySink, refuse: Refuse): Promise<void> {
  const [answer] = await sink.send([messageOf(pieces)]);
  if (!answer || answer.outcome === "failed") throw answer?.error;
  if (answer.outcome === "refused") {
    await halves(pieces, { sink, refuse, reason: answer.reason });
    return;
  }
  const lost = answer.lost ?? [];
  const named = (piece: SinkPiece) => lost.find(({ first, last }) => piece.first >= first && piece.last <= last);
  const meant = pieces.filter((piece) => named(piece) !== undefined);
  if (meant.length === 0) return;
  const count = lost.reduce((sum, loss) => sum + loss.count, 0);
  if (count >= meant.length) for (const piece of meant) refuse(piece, named(piece)?.reason ?? "");
  else await halves(meant, { sink, refuse, reason: lost[0]?.reason ?? "" });
}

async function halves(
  pieces: readonly SinkPiece[],
  { sink, refuse, reason }: { sink: RelaySink; refuse: Refuse; reason: string },
): Promise<void> {
  const [only] = pieces;
  if (only && pieces.length === 1) return refuse(only, reason);
  const middle = Math.ceil(pieces.length / 2);
  await send(pieces.slice(0, middle), sink, refuse);
  await send(pieces.slice(middle), sink, refuse);
}

const messageOf = (pieces: readonly SinkPiece[]): SinkMessage => ({
  first: pieces[0]?.first ?? 0,
  last: pieces.at(-1)?.last ?? 0,
  fromMs: 0,
  toMs: 0,
  pieces,
  lost: [],
});

/** As the relay would have had it; of the old state what an event keeps of it. */
function recordOf(event: HomeEvent): EventRecord {
  const { entityId, atUs, lastChangedUs, source, origin, kind, state, attributes } = event;
  const { id, parentId, userId } = event.context;
  const at = formatIsoUs(atUs);
  const shared = {
    n: 0,
    source,
    entity_id: entityId,
    origin,
    context: { id, parent_id: parentId ?? null, user_id: userId ?? null },
    ...(event.oldState !== undefined && { old: { state: event.oldState, last_changed: at, last_updated: at } }),
  };
  if (kind === "removed") return { t: "removed", ...shared, time_fired: at };
  const last_changed = formatIsoUs(lastChangedUs);
  return { t: "state", ...shared, kind, state, attributes: { ...attributes }, last_changed, last_updated: at };
}
