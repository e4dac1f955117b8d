import { messageOf } from "../../base/errors.ts";
import type { HaEvent } from "../../relay/ports.ts";
import type { Commands } from "./commands.ts";
import type { OnProblem } from "./problem.ts";
import { entityOf, eventProblem, type HaMessage, isFrame, isMessage, readFrame } from "./wire.ts";

export interface ReaderOptions {
  readonly commands: Commands;
  /** By the id of the command that subscribed. */
  readonly subscriptions: ReadonlyMap<unknown, (event: HaEvent) => void>;
  /** Never throws. */
  readonly report: OnProblem;
  readonly redact: (text: string) => string;
}

export interface Reader {
  /** Takes one frame. Synchronous to the end: Home Assistant cuts a client off that reads slowly. Never throws. */
  read(data: Buffer, isBinary: boolean): void;
  /** Messages and given up frames so far. */
  count(): number;
}

/** From a frame to its answers and events; whatever is wrong costs only itself and is reported. */
export function createReader({ commands, subscriptions, report, redact }: ReaderOptions): Reader {
  let count = 0;

  function deliver(message: HaMessage): void {
    const onEvent = subscriptions.get(message.id);
    if (!onEvent) {
      report({ kind: "message_unexpected", detail: "an event of a subscription that is not ours" });
      return;
    }
    const problem = eventProblem(message.event);
    if (problem) {
      report(problem);
      return;
    }
    const event = message.event as HaEvent;
    try {
      onEvent(event);
    } catch (thrown) {
      const detail = `taking an event of type "${event.event_type.slice(0, 80)}" failed: ${redact(messageOf(thrown))}`;
      report({ kind: "callback_failed", detail, ...entityOf(event.data) });
    }
  }

  function take(message: unknown): void {
    if (!isMessage(message)) {
      report({ kind: "message_malformed", detail: "a message has no type" });
    } else if (message.type === "event") {
      deliver(message);
    } else if (!isAnswer(message) || !commands.take(message)) {
      const detail = `no command waits for a message of type "${message.type.slice(0, 40)}"`;
      report({ kind: "message_unexpected", detail });
    }
  }

  return {
    read: (data, isBinary) => {
      const frame = readFrame(data, isBinary);
      if (!isFrame(frame)) {
        count++;
        report(frame);
        return;
      }
      count += frame.length;
      for (const message of frame) take(message);
    },
    count: () => count,
  };
}

const isAnswer = (message: HaMessage): boolean => message.type === "result" || message.type === "pong";
