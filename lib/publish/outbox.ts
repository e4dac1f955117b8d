import type { Clock } from "../base/clock.ts";
import type { Random } from "../base/random.ts";
import type { OutboxAutomation, OutboxMessage, OutboxRefetch, OutboxSink } from "../event/index.ts";
import type { OutboxItem, OutboxStore } from "./ports.ts";

/** What is asked of a home's relay. `expiresInSeconds`: nobody does it later than that. */
export type OutboxRequest = { readonly homeId: string; readonly expiresInSeconds: number } & (
  | { readonly kind: "mqtt"; readonly message: OutboxMessage }
  | { readonly kind: "automation"; readonly automation: OutboxAutomation }
  | { readonly kind: "capabilities" }
  | { readonly kind: "sink"; readonly sink: OutboxSink }
  | { readonly kind: "refetch"; readonly refetch: OutboxRefetch }
);

/** The outbox of all homes, for whoever asks something of a relay. Errors as of `OutboxStore`. */
export interface Outbox extends Pick<OutboxStore, "list" | "settle"> {
  /** `message` has been checked by `outboxMessageSchema`, `automation` by `outboxAutomationSchema`. */
  add(request: OutboxRequest): Promise<{ readonly item: OutboxItem; readonly added: boolean }>;
}

export interface OutboxParts {
  readonly store: OutboxStore;
  readonly clock: Pick<Clock, "nowMs">;
  readonly random: Random;
}

export function createOutbox({ store, clock, random }: OutboxParts): Outbox {
  const unique = () => Math.floor(random() * 2 ** 40).toString(36);
  return {
    list: store.list,
    settle: store.settle,
    add({ expiresInSeconds, ...request }) {
      const createdAtMs = clock.nowMs();
      const expiresAtMs = createdAtMs + expiresInSeconds * 1000;
      return store.add({ ...request, createdAtMs, expiresAtMs, unique: unique() });
    },
  };
}
