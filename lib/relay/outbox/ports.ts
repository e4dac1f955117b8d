import type {
  OutboxAutomation,
  OutboxKind,
  OutboxMessage,
  OutboxOutcome,
  OutboxRefetch,
  OutboxSink,
  WritableAutomation,
} from "../../event/index.ts";

/** A session with the home's MQTT broker. It ends once; then every call rejects with `mqtt_disconnected`. */
export interface BrokerSession {
  /**
   * Resolves when the broker has acknowledged it (QoS 1), or when it is sent (QoS 0).
   * @throws fate `retry`: `mqtt_disconnected`, `mqtt_timeout`, `mqtt_failed` (it may have been published); fate `dead-letter`: `mqtt_publish_refused` (the broker will never take this message)
   */
  publish(message: OutboxMessage): Promise<void>;
  /** What the broker keeps at a topic, as it came; undefined: nothing. @throws fate `retry` as `publish`; fate `dead-letter`: `mqtt_subscribe_refused` */
  retained(topic: string): Promise<Buffer | undefined>;
  /** Says good-bye, within a second. */
  close(): Promise<void>;
}

/** The home's MQTT broker: connected to for a batch of work only. */
export interface MessageBroker {
  /** @throws HearthlineError: fate `retry` `mqtt_unreachable`, `mqtt_timeout`, `mqtt_disconnected`; fate `stop` `mqtt_refused` (user, password, rights), `mqtt_tls_failed` */
  connect(): Promise<BrokerSession>;
}

/** An item of the outbox, as the relay is handed it. */
export interface OutboxWork {
  readonly id: string;
  /** `unknown`: of a kind that a newer cloud asks for; this relay can never do it. */
  readonly kind: OutboxKind | "unknown";
  /** Of kind `mqtt`. Absent: it came malformed, and can never be done. */
  readonly message?: OutboxMessage;
  /** Of kind `automation`; absent as `message`. */
  readonly automation?: OutboxAutomation;
  /** Of kind `sink`; absent as `message`. */
  readonly sink?: OutboxSink;
  /** Of kind `refetch`; absent as `message`. */
  readonly refetch?: OutboxRefetch;
}

/** The automations of the home that may be written: of its `automations.yaml`. */
export interface AutomationFile {
  /**
   * Writes it, in the keys that this Home Assistant takes, and resolves when Home Assistant has it as an entity; the one of that id is replaced.
   * @throws fate `retry` `home_assistant_disconnected`, `home_assistant_not_ready`, `home_assistant_command_failed` (it may have been written; safe to repeat); fate `dead-letter`
   * `automation_refused` (no administrator's token, not valid for this Home Assistant, it would open what is no shade), `automation_not_loaded` (nothing of it is left behind)
   */
  write(id: string, automation: WritableAutomation): Promise<void>;
  /** Resolves when it is gone, whether it was there or not. Errors as `write`. */
  remove(id: string): Promise<void>;
}

/** The cloud's outbox for this home. */
export interface OutboxFeed {
  /** What waits, in the order of asking; of a long list the first page. @throws fate `retry` service errors; fate `stop` `service_refused` (the token) */
  pending(): Promise<readonly OutboxWork[]>;
  /** Resolves when the cloud knows, or has forgotten the item. Safe to repeat. @throws as `pending` */
  acknowledge(id: string, outcome: OutboxOutcome): Promise<void>;
}
