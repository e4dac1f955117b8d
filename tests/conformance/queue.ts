import { describe, expect, it } from "vitest";
import type { Queue, QueueMessage } from "../../lib/ingest/ports.ts";

/** What every `Queue` does. `received` takes what lies in the queue, at least `count` messages or all that came within a few seconds, attributes included. */
export function queueConformance(
  make: () => Promise<{ queue: Queue; received: (count: number) => Promise<readonly QueueMessage[]> }>,
  /** fauxqs 2.4.1 refuses characters beyond U+FFFF in bodies, which AWS takes. Ours have none: they are base64 in ASCII JSON. */
  { takesAstralBodies = true }: { readonly takesAstralBodies?: boolean } = {},
): void {
  const byBody = (a: QueueMessage, b: QueueMessage) => (a.body < b.body ? -1 : 1);

  describe("queue", () => {
    it("takes nothing at all", async () => {
      const { queue } = await make();
      await queue.send([]);
    });

    it("carries body and attributes as they are", async () => {
      const { queue, received } = await make();
      const messages = [
        { body: "a", attributes: { reason_code: "event_malformed", reason_detail: 'Äpfel 🏠 "x" <&>\n2' } },
        { body: JSON.stringify({ text: `ünïcode ☃${takesAstralBodies ? " 🏠" : ""}`, lines: "a\nb\tc" }) },
      ];
      await queue.send(messages);
      const got = [...(await received(2))].sort(byBody);
      expect(got.map((message) => message.body)).toEqual(messages.map((message) => message.body).sort());
      expect(got.find((message) => message.body === "a")?.attributes).toEqual(messages[0]?.attributes);
    });

    it("takes more messages than one batch holds", async () => {
      const { queue, received } = await make();
      const bodies = Array.from({ length: 23 }, (_, at) => `message ${String(at).padStart(2, "0")}`);
      await queue.send(bodies.map((body) => ({ body })));
      expect((await received(23)).map((message) => message.body).sort()).toEqual(bodies);
    });

    it("takes messages that together are larger than one batch", async () => {
      const { queue, received } = await make();
      const bodies = ["a", "b", "c"].map((letter) => letter.repeat(600_000));
      await queue.send(bodies.map((body) => ({ body })));
      expect((await received(3)).map((message) => message.body[0]).sort()).toEqual(["a", "b", "c"]);
    });

    it("takes a message of exactly the largest size, and refuses a larger one", async () => {
      const { queue, received } = await make();
      await queue.send([{ body: "x".repeat(1_048_576) }]);
      expect((await received(1))[0]?.body).toHaveLength(1_048_576);
      await expect(queue.send([{ body: "x".repeat(1_048_577) }])).rejects.toMatchObject({
        code: "queue_message_invalid",
      });
    });
  });
}
