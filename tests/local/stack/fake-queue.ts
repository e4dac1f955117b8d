import type { Clock } from "../../../lib/base/clock.ts";
import type { ReceivedMessage, SourceQueue } from "../../../local/stack/source-queue.ts";

interface Stored {
  readonly id: string;
  readonly body: string;
  receives: number;
  visibleAtMs: number;
}

/** A queue in memory with visibility time-out, receive counts and redrive, on a clock of the test's own. */
export function fakeQueue(options: { clock: Clock; visibilityMs?: number; maxReceiveCount?: number }) {
  const { clock, visibilityMs = 10_000, maxReceiveCount = 1000 } = options;
  const stored = new Map<string, Stored>();
  const dead: string[] = [];
  const receives: { max: number; waitSeconds: number }[] = [];
  let failing = 0;

  const visible = () => [...stored.values()].filter(({ visibleAtMs }) => visibleAtMs <= clock.monotonicMs());
  const take = (max: number): ReceivedMessage[] => {
    const taken: ReceivedMessage[] = [];
    for (const one of visible()) {
      if (taken.length >= max) break;
      if (one.receives >= maxReceiveCount) {
        stored.delete(one.id);
        dead.push(one.body);
        continue;
      }
      one.receives++;
      one.visibleAtMs = clock.monotonicMs() + visibilityMs;
      const Attributes = { ApproximateReceiveCount: String(one.receives) };
      taken.push({
        MessageId: one.id,
        ReceiptHandle: `${one.id}/${one.receives}`,
        Body: one.body,
        MD5OfBody: "-",
        Attributes,
      });
    }
    return taken;
  };

  const queue: SourceQueue = {
    async receive(max, waitSeconds) {
      receives.push({ max, waitSeconds });
      if (failing > 0) {
        failing--;
        throw new Error("no connection");
      }
      const first = take(Math.min(max, 10));
      if (first.length > 0 || waitSeconds === 0) return first;
      await clock.sleep(waitSeconds * 1000);
      return take(Math.min(max, 10));
    },
    async remove(messages) {
      for (const { MessageId } of messages) stored.delete(MessageId);
      return [];
    },
    async hide({ MessageId }, seconds) {
      const one = stored.get(MessageId);
      if (one) one.visibleAtMs = clock.monotonicMs() + seconds * 1000;
    },
  };
  let next = 0;
  return {
    queue,
    dead,
    receives,
    send: (...bodies: string[]) => {
      for (const body of bodies) {
        const id = `m${++next}`;
        stored.set(id, { id, body, receives: 0, visibleAtMs: 0 });
      }
    },
    left: () => [...stored.values()].map(({ body }) => body),
    failNext: (count: number) => {
      failing = count;
    },
  };
}
