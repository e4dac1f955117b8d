import type { HomeCore } from "../live/home-core.ts";

/** A command as it came: checked for id and type, for the rest by its handler. */
export type Message = Readonly<Record<string, unknown>> & { readonly id?: unknown; readonly type?: unknown };

/** One client's WebSocket, from `auth_required` to its end. */
export interface Connection {
  /** Messages that wait to be written. */
  readonly pending: () => number;
  send(frame: string): void;
  /** Subscriptions of this client by the id of their command: how to end each. */
  readonly subscriptions: Map<number, () => void>;
  /** Ends it: with a close frame (1000), or without a word. */
  end(isClean: boolean): void;
  /** The client takes several messages in one frame. */
  coalesce(isOn: boolean): void;
}

export interface Call {
  readonly core: HomeCore;
  readonly connection: Connection;
  readonly message: Message;
  readonly id: number;
  /** Sends an event of this subscription. */
  readonly event: (eventJson: string) => void;
}

/** The result's JSON, and what follows it on the wire. */
export interface Reply {
  readonly json: string;
  readonly after?: () => void;
}

export type Handler = (call: Call) => Reply;
