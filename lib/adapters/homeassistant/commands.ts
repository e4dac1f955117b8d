import type { Clock } from "../../base/clock.ts";
import { HearthlineError } from "../../base/errors.ts";
import { type HaMessage, isObject } from "./wire.ts";

/** Commands that wait for their answers at one time; one more is refused. Far above what a relay asks at once. */
const WAITING_MAX_COUNT = 1_000;

/** Home Assistant answered a command with an error: `haCode` is its own, such as `unknown_command`, `unauthorized`, `invalid_format`. */
export class HaCommandError extends HearthlineError {
  readonly haCode: string;
  constructor(type: string, haCode: string, said: string) {
    super(
      "home_assistant_command_failed",
      `Home Assistant answered the command "${type}" with ${haCode}: "${said.slice(0, 300)}"`,
    );
    this.haCode = haCode;
  }
}

export interface Command {
  /** Of this session: increasing, never used twice. */
  readonly id: number;
  readonly answer: Promise<unknown>;
}

export interface Commands {
  /** Sends a command. @throws never; `answer` rejects with `home_assistant_command_failed`, `command_timeout`, or what `end` was given */
  ask(message: Readonly<Record<string, unknown> & { type: string }>, deadlineMs?: number): Command;
  /** Takes a `result` or a `pong`; false when no command waits for it. */
  take(message: HaMessage): boolean;
  /** Rejects everything that waits, and everything asked from now on. */
  end(error: HearthlineError): void;
}

interface Waiting {
  readonly type: string;
  readonly settled: AbortController;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
}

export interface CommandsOptions {
  readonly send: (text: string) => void;
  readonly clock: Clock;
  /** For one command from sending to its answer, in milliseconds. */
  readonly deadlineMs: number;
}

/** The commands of one session: numbers, answers, deadlines. */
export function createCommands({ send, clock, deadlineMs: usualMs }: CommandsOptions): Commands {
  const waiting = new Map<number, Waiting>();
  let lastId = 0;
  let ended: HearthlineError | undefined;

  const settle = (id: number): Waiting | undefined => {
    const command = waiting.get(id);
    waiting.delete(id);
    command?.settled.abort();
    return command;
  };

  async function watch(id: number, deadlineMs: number, settled: AbortSignal): Promise<void> {
    await clock.sleep(deadlineMs, settled);
    const late = settle(id);
    late?.reject(
      new HearthlineError(
        "command_timeout",
        `Home Assistant did not answer the command "${late.type}" within ${deadlineMs} ms.`,
      ),
    );
  }

  return {
    ask: (message, deadlineMs = usualMs) => {
      const id = lastId + 1;
      const { promise, resolve, reject } = Promise.withResolvers<unknown>();
      const refusal = ended ?? (waiting.size >= WAITING_MAX_COUNT ? tooMany(message.type) : undefined);
      if (refusal) reject(refusal);
      else {
        lastId = id;
        const settled = new AbortController();
        waiting.set(id, { type: message.type, settled, resolve, reject });
        try {
          send(JSON.stringify({ ...message, id }));
          void watch(id, deadlineMs, settled.signal);
        } catch (thrown) {
          settle(id)?.reject(thrown);
        }
      }
      return { id, answer: promise };
    },
    take: (message) => {
      const command = typeof message.id === "number" ? settle(message.id) : undefined;
      if (!command) return false;
      if (message.type === "pong" || message.success === true) command.resolve(message.result);
      else command.reject(failure(command.type, message.error));
      return true;
    },
    end: (error) => {
      ended = error;
      for (const id of [...waiting.keys()]) settle(id)?.reject(error);
    },
  };
}

const tooMany = (type: string) =>
  new HearthlineError(
    "home_assistant_command_failed",
    `The command "${type}" was not sent: ${WAITING_MAX_COUNT} commands wait for their answers already.`,
  );

function failure(type: string, error: unknown): HaCommandError {
  const { code, message } = isObject(error) ? error : {};
  return new HaCommandError(
    type,
    typeof code === "string" ? code : "an unnamed error",
    typeof message === "string" ? message : "",
  );
}
