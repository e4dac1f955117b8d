import type { Socket } from "node:net";
import type { WebSocket } from "ws";
import type { Clock } from "../../base/clock.ts";
import { HearthlineError, messageOf } from "../../base/errors.ts";
import type { RegistryName } from "../../event/index.ts";
import type { HaEvent, HaSession } from "../../relay/ports.ts";
import { REGISTRY_COMMANDS, readConfigAnswer, readListAnswer, readRows } from "./answers.ts";
import { type Commands, createCommands, HaCommandError } from "./commands.ts";
import type { OnProblem } from "./problem.ts";
import { createReader } from "./reader.ts";
import { recorderQuestions } from "./recorder.ts";
import { watch } from "./watchdog.ts";

export interface SessionOptions {
  /** Open and authenticated; from now on the session's alone. */
  readonly socket: WebSocket;
  /** The TCP or TLS connection below it, for counting bytes. */
  readonly connection: Socket | undefined;
  readonly haVersion: string;
  readonly clock: Clock;
  readonly commandTimeoutMs: number;
  readonly pingIntervalMs: number;
  readonly pingTimeoutMs: number;
  /** Never throws. */
  readonly report: OnProblem;
  /** Takes the token out of a text that may quote it. */
  readonly redact: (text: string) => string;
}

/** Not in every Home Assistant (floors and labels came with 2024.4). The others are missing only while it starts, which says nothing of their rows. */
const LATER_REGISTRIES: ReadonlySet<RegistryName> = new Set<RegistryName>(["floors", "labels"]);

/** How long a closing handshake may take before the connection is cut. */
const CLOSE_TIMEOUT_MS = 2_000;

/** The session on an authenticated socket. Reading is synchronous from the frame to `onEvent`: nothing in between waits. */
export function createSession(options: SessionOptions): HaSession {
  const { socket, clock, report, redact } = options;
  const subscriptions = new Map<unknown, (event: HaEvent) => void>();
  const closed = Promise.withResolvers<{ code: number; reason: string }>();
  const over = new AbortController();
  /** Why the session ends, known before the socket says that it is closed. */
  let cause: string | undefined;

  const commands = createCommands({
    send: (text) => socket.send(text),
    clock,
    deadlineMs: options.commandTimeoutMs,
  });
  const reader = createReader({ commands, subscriptions, report, redact });

  socket.on("message", (data, isBinary) => reader.read(data as Buffer, isBinary));
  socket.on("error", (error) => {
    cause ??= redact(messageOf(error));
  });
  socket.on("close", (code, said) => {
    const unexplained = code === 1000 ? "closed by Home Assistant" : "connection lost";
    const reason = cause ?? (redact(said.toString()) || unexplained);
    over.abort();
    subscriptions.clear();
    commands.end(disconnected(code, reason));
    closed.resolve({ code, reason });
  });

  void watch({
    clock,
    pingIntervalMs: options.pingIntervalMs,
    pingTimeoutMs: options.pingTimeoutMs,
    heard: () => ({ messages: reader.count(), bytes: options.connection?.bytesRead ?? 0 }),
    ping: (deadlineMs) => commands.ask({ type: "ping" }, deadlineMs).answer,
    onSilence: (reason) => {
      cause ??= reason;
      socket.terminate();
    },
    signal: over.signal,
  });

  return {
    haVersion: options.haVersion,
    closed: closed.promise,
    ...questions(commands, report),
    ...recorderQuestions((message, deadlineMs) => commands.ask(message, deadlineMs).answer),
    subscribeEvents: (eventType, onEvent) => subscribe(commands, subscriptions, eventType, onEvent),
    close: async () => {
      cause ??= "closed by this side";
      socket.close(1000);
      await Promise.race([closed.promise, clock.sleep(CLOSE_TIMEOUT_MS, over.signal)]);
      socket.terminate();
      await closed.promise;
    },
  };
}

function questions(
  commands: Commands,
  report: OnProblem,
): Pick<HaSession, "command" | "getStates" | "getConfig" | "getRegistry"> {
  const command: HaSession["command"] = (message) => commands.ask(message).answer;
  return {
    command,
    getStates: async () => readListAnswer("get_states", await command({ type: "get_states" })),
    getConfig: async () => readConfigAnswer(await command({ type: "get_config" })),
    getRegistry: async (name) => {
      const type = REGISTRY_COMMANDS[name];
      try {
        return readRows(type, await command({ type }), report);
      } catch (thrown) {
        const isUnknown = thrown instanceof HaCommandError && thrown.haCode === "unknown_command";
        if (isUnknown && LATER_REGISTRIES.has(name)) return [];
        throw thrown;
      }
    },
  };
}

async function subscribe(
  commands: Commands,
  subscriptions: Map<unknown, (event: HaEvent) => void>,
  eventType: string,
  onEvent: (event: HaEvent) => void,
): Promise<void> {
  const { id, answer } = commands.ask({ type: "subscribe_events", event_type: eventType });
  // Before the answer: its first event may stand in the same frame.
  subscriptions.set(id, onEvent);
  try {
    await answer;
  } catch (thrown) {
    subscriptions.delete(id);
    // The answer may only be late: then the events would come for nobody.
    commands.ask({ type: "unsubscribe_events", subscription: id }).answer.catch(() => {});
    throw thrown;
  }
}

const disconnected = (code: number, reason: string) =>
  new HearthlineError("home_assistant_disconnected", `The session with Home Assistant ended (${code}): ${reason}.`);
