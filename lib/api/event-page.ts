import { type HomeEvent, toWireEvent } from "../event/index.ts";
import type { EventStore, Position, RangeQuery } from "../store/index.ts";
import { answerBytes, PAGE_MAX_BYTES } from "./answer-size.ts";

/** The first look takes no more: a thousand of the largest events would be a gigabyte. What they weigh tells how many more are asked for. */
const FIRST_READ_EVENTS = 128;

const positionOf = ({ atUs, entityId, kind }: HomeEvent): Position => ({ atUs, entityId, removed: kind === "removed" });

/** A page of events as it is answered; it ends by its number or by its bytes. `next`: there may be more behind it. */
export async function readEventPage(events: Pick<EventStore, "range">, query: RangeQuery) {
  const shown: ReturnType<typeof toWireEvent>[] = [];
  let { after } = query;
  let bytes = 0;
  let asked = Math.min(query.limit, FIRST_READ_EVENTS);
  for (;;) {
    const page = await events.range({ ...query, limit: asked, ...(after && { after }) });
    for (const event of page.events) {
      const wire = toWireEvent(event);
      bytes += answerBytes(wire);
      if (shown.length > 0 && bytes > PAGE_MAX_BYTES) return { shown, next: after };
      shown.push(wire);
      after = positionOf(event);
    }
    // A store that gives fewer than were asked for has its reasons.
    if (!page.next || page.events.length < asked || shown.length === query.limit) return { shown, next: page.next };
    const roomFor = Math.ceil(((PAGE_MAX_BYTES - bytes) / bytes) * shown.length);
    asked = Math.max(1, Math.min(query.limit - shown.length, roomFor));
  }
}
