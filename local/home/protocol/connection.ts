import type { Socket } from "node:net";
import type { WebSocket } from "ws";
import { HA_AUTH_WINDOW_SECONDS } from "../../../lib/limits.ts";
import type { HomeCore } from "../live/home-core.ts";
import { CommandError, errorFrame, eventFrame, resultFrame } from "./answers.ts";
import { COMMANDS, missingKeyOf } from "./commands.ts";
import { createOutbox } from "./outbox.ts";
import type { Connection, Message } from "./wire.ts";

const CLOSE_PATIENCE_MS = 10_000;

export interface ConnectionHooks {
  readonly closed: (connection: Connection) => void;
}

export function serveConnection(
  core: HomeCore,
  ws: WebSocket,
  { socket, hooks }: { readonly socket: Socket; readonly hooks: ConnectionHooks },
): Connection {
  let isOver = false;
  let isAuthenticated = false;
  let lastId = 0;
  const outbox = createOutbox(core, ws, () => connection.end(true));
  const finish = () => {
    if (isOver) return;
    isOver = true;
    outbox.close();
    cancelDeadline();
    for (const end of connection.subscriptions.values()) end();
    connection.subscriptions.clear();
    hooks.closed(connection);
  };
  const connection: Connection = {
    pending: outbox.size,
    send: outbox.add,
    subscriptions: new Map(),
    coalesce: (isOn) => {
      outbox.isCoalescing = isOn;
    },
    end(isClean) {
      // What was fired before the end is written before the end, as the real one does.
      if (isClean && !isOver) outbox.write();
      finish();
      if (!isClean) return ws.terminate();
      ws.close(1000);
      core.timeline.after(CLOSE_PATIENCE_MS, () => ws.terminate());
    },
  };
  const authenticate = (message: Message) => {
    const refusal = refusalOf(core, message);
    if (refusal !== undefined) {
      ws.send(JSON.stringify({ type: "auth_invalid", message: refusal }));
      return connection.end(true);
    }
    isAuthenticated = true;
    cancelDeadline();
    ws.send(`{"type":"auth_ok","ha_version":"${core.flavour.version}"}`);
  };
  const command = (message: unknown) => {
    const answer = answerCommand(core, connection, { message, lastId });
    lastId = answer.lastId;
    if (answer.frame !== undefined) outbox.add(answer.frame);
    answer.after?.();
  };
  const cancelDeadline = core.timeline.after(HA_AUTH_WINDOW_SECONDS * 1000, () => connection.end(true));
  ws.on("message", (data, isBinary) => {
    if (isOver) return;
    const message = isBinary ? undefined : parse(String(data));
    // Text that is no JSON ends the connection, as it does with the real one.
    if (message === undefined) return connection.end(true);
    if (!isAuthenticated) return authenticate(message as Message);
    for (const one of Array.isArray(message) ? message : [message]) command(one);
  });
  ws.on("close", finish);
  ws.on("error", finish);
  socket.on("drain", outbox.write);
  ws.send(`{"type":"auth_required","ha_version":"${core.flavour.version}"}`);
  return connection;
}

/** Why a client is not let in; undefined when it is. */
function refusalOf(core: HomeCore, message: Message): string | undefined {
  if (message.type !== "auth" || typeof message.access_token !== "string")
    return "Auth message incorrectly formatted: extra keys not allowed @ data['type']. Got None";
  const isRight = !core.isAuthRefused && message.access_token === core.token;
  return isRight ? undefined : "Invalid access token or password";
}

function parse(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

interface Answer {
  readonly lastId: number;
  readonly frame?: string;
  /** What follows the answer, such as the first event. */
  readonly after?: () => void;
}

function answerCommand(
  core: HomeCore,
  connection: Connection,
  { message, lastId }: { message: unknown; lastId: number },
): Answer {
  const one = message as Message;
  const { id, type } = one;
  if (typeof id !== "number" || !Number.isInteger(id) || id < 1 || typeof type !== "string")
    return {
      lastId,
      frame: errorFrame(typeof id === "number" ? id : null, "invalid_format", "Message incorrectly formatted."),
    };
  if (id <= lastId) return { lastId, frame: errorFrame(id, "id_reuse", "Identifier values have to increase.") };
  if (type === "ping") return { lastId: id, frame: `{"id":${id},"type":"pong"}` };
  const handler = COMMANDS.get(type);
  if (!handler) return { lastId: id, frame: errorFrame(id, "unknown_command", "Unknown command.") };
  const missing = missingKeyOf(type, one);
  if (missing !== undefined)
    return { lastId: id, frame: errorFrame(id, "invalid_format", core.flavour.missingKey(missing)) };
  try {
    const { json, after } = handler({
      core,
      connection,
      message: one,
      id,
      event: (text) => connection.send(eventFrame(id, text)),
    });
    return { lastId: id, frame: resultFrame(id, json), ...(after && { after }) };
  } catch (thrown) {
    if (!(thrown instanceof CommandError)) throw thrown;
    return { lastId: id, frame: errorFrame(id, thrown.code, thrown.message) };
  }
}
