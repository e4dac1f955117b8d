import type { MqttClient } from "mqtt";
import type { Clock } from "../../base/clock.ts";
import { HearthlineError } from "../../base/errors.ts";
import type { OutboxMessage } from "../../event/index.ts";
import type { BrokerSession } from "../../relay/outbox/ports.ts";
import { publishFailure, reasonOf } from "./failures.ts";

interface SessionOptions {
  /** Of the broker, without user and password. */
  readonly name: string;
  readonly clock: Clock;
  readonly acknowledgeMs: number;
  readonly retainedMs: number;
}

const CLOSE_MS = 1_000;
/** What a PUBLISH takes beside its topic and its payload, at most. */
const PACKET_OVERHEAD_BYTES = 16;

/**
 * One connection. Every wait ends by the answer, by the end of the connection or by a deadline: the library's own promises of a message that is under way never settle when
 * the connection ends (MQTT.js issues 1974 and 1987; read 2026-09).
 */
export class MqttSession implements BrokerSession {
  readonly #client: MqttClient;
  readonly #options: SessionOptions;
  /** Rejects when the connection ends, with the reason that was given. */
  readonly #ended: Promise<never>;
  #reason: unknown;
  #packetMaxBytes = Number.POSITIVE_INFINITY;

  constructor(client: MqttClient, options: SessionOptions) {
    this.#client = client;
    this.#options = options;
    client.on("error", (error) => {
      this.#reason ??= error;
    });
    client.on("disconnect", ({ reasonCode }) => {
      // MQTT 5: the broker says why it ends the connection.
      this.#reason ??= Object.assign(new Error("the broker ended the connection"), { code: reasonCode });
    });
    this.#ended = new Promise((_, reject) => {
      client.once("close", () => reject(this.#reason ?? this.#disconnected()));
    });
    // It may end while nobody waits.
    this.#ended.catch(() => {});
  }

  /** Until the broker has answered. @throws what the client threw, or HearthlineError `mqtt_timeout`, `mqtt_disconnected` */
  async opened(withinMs: number): Promise<void> {
    const opened = new Promise<void>((resolve) => {
      this.#client.once("connect", ({ properties }) => {
        this.#packetMaxBytes = properties?.maximumPacketSize ?? this.#packetMaxBytes;
        resolve();
      });
    });
    await this.#within(withinMs, opened, "did not answer the connection");
  }

  async publish({ topic, payload, qos, retain }: OutboxMessage): Promise<void> {
    const { name, acknowledgeMs } = this.#options;
    if (!this.#client.connected) throw this.#disconnected();
    const bytes = Buffer.byteLength(topic) + Buffer.byteLength(payload) + PACKET_OVERHEAD_BYTES;
    if (bytes > this.#packetMaxBytes)
      throw new HearthlineError(
        "mqtt_publish_refused",
        `The message to "${topic.slice(0, 80)}" takes ${bytes} bytes; the broker "${name}" takes at most ${this.#packetMaxBytes}.`,
      );
    try {
      const acknowledged = this.#client.publishAsync(topic, payload, { qos, retain });
      await this.#within(acknowledgeMs, acknowledged, `did not acknowledge the message to "${topic.slice(0, 80)}"`);
    } catch (thrown) {
      throw publishFailure(name, topic, thrown);
    }
  }

  async retained(topic: string): Promise<Buffer | undefined> {
    const { name, clock, acknowledgeMs, retainedMs } = this.#options;
    const stop = new AbortController();
    const came = new Promise<Buffer>((resolve) => {
      this.#client.on("message", (its, payload) => {
        if (its === topic) resolve(payload);
      });
    });
    try {
      const granted = this.#client.subscribeAsync(topic, { qos: 1 });
      await this.#within(acknowledgeMs, granted, `did not acknowledge the subscription to "${topic}"`);
      return await Promise.race([came, this.#ended, clock.sleep(retainedMs, stop.signal).then(() => undefined)]);
    } catch (thrown) {
      if (thrown instanceof HearthlineError) throw thrown;
      const [code, reason] = this.#client.connected
        ? (["mqtt_subscribe_refused", "refuses to show"] as const)
        : (["mqtt_disconnected", "ended the connection before it had shown"] as const);
      const number = reasonOf(thrown);
      const said = number === undefined ? "" : ` (reason ${number})`;
      throw new HearthlineError(code, `The broker "${name}" ${reason} "${topic}"${said}.`, { cause: thrown });
    } finally {
      stop.abort();
    }
  }

  async close(): Promise<void> {
    const { clock } = this.#options;
    const stop = new AbortController();
    const said = this.#client.endAsync().catch(() => {});
    await Promise.race([said, clock.sleep(CLOSE_MS, stop.signal)]);
    stop.abort();
    this.#client.end(true);
  }

  async #within<T>(ms: number, work: Promise<T>, what: string): Promise<T> {
    const { clock, name } = this.#options;
    const stop = new AbortController();
    const late = clock.sleep(ms, stop.signal).then(() => {
      if (stop.signal.aborted) return undefined as never;
      throw new HearthlineError("mqtt_timeout", `The broker "${name}" ${what} within ${ms} ms.`);
    });
    work.catch(() => {});
    late.catch(() => {});
    try {
      return await Promise.race([work, this.#ended, late]);
    } finally {
      stop.abort();
    }
  }

  #disconnected(): HearthlineError {
    return new HearthlineError(
      "mqtt_disconnected",
      `The broker "${this.#options.name}" ended the connection without a reason (a broker that speaks TLS on this port wants an address with mqtts://).`,
    );
  }
}
