import { HearthlineError } from "../../../lib/base/errors.ts";
import type { OutboxMessage, OutboxOutcome } from "../../../lib/event/index.ts";
import type { BrokerSession, MessageBroker, OutboxFeed, OutboxWork } from "../../../lib/relay/outbox/ports.ts";

export const item = (id: string, message: Partial<OutboxMessage> = {}): OutboxWork => ({
  id,
  kind: "mqtt",
  message: { topic: `hearthline/${id}`, payload: id, qos: 1, retain: false, ...message },
});

/** The cloud: items wait until somebody has acknowledged them. */
export class FakeFeed implements OutboxFeed {
  items: OutboxWork[] = [];
  readonly outcomes = new Map<string, OutboxOutcome>();
  looks = 0;
  acknowledgements = 0;
  /** Called before each answer: may throw. */
  before: (what: "pending" | "acknowledge") => void = () => {};
  /** Called when an acknowledgement has been taken, before its answer arrives: may throw. */
  after: () => void = () => {};

  async pending(): Promise<readonly OutboxWork[]> {
    this.looks += 1;
    this.before("pending");
    return this.items.filter(({ id }) => !this.outcomes.has(id));
  }

  async acknowledge(id: string, outcome: OutboxOutcome): Promise<void> {
    this.acknowledgements += 1;
    this.before("acknowledge");
    if (!this.outcomes.has(id)) this.outcomes.set(id, outcome);
    this.after();
  }
}

/** A broker that keeps what it is told. */
export class FakeBroker implements MessageBroker {
  readonly published: string[] = [];
  readonly kept = new Map<string, Buffer>();
  connects = 0;
  open = 0;
  /** Called before a connection and before a message is taken: may throw. */
  before: (what: "connect" | "publish", id: string) => void = () => {};
  /** Called when a message has been taken, before its acknowledgement arrives: may throw. */
  after: (id: string) => void = () => {};

  async connect(): Promise<BrokerSession> {
    this.connects += 1;
    this.before("connect", "");
    this.open += 1;
    return {
      publish: async ({ payload }) => {
        this.before("publish", payload);
        this.published.push(payload);
        this.after(payload);
      },
      retained: async (topic) => this.kept.get(topic),
      close: async () => {
        this.open -= 1;
      },
    };
  }
}

export const broken = (code: ConstructorParameters<typeof HearthlineError>[0] = "mqtt_disconnected") =>
  new HearthlineError(code, `it is ${code}`);
