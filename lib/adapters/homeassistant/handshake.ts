import type { Socket } from "node:net";
import { WebSocket } from "ws";
import type { Clock } from "../../base/clock.ts";
import { HearthlineError } from "../../base/errors.ts";
import { HA_FRAME_MAX_BYTES } from "../../limits.ts";
import { answerFailure, notHomeAssistant } from "./failures.ts";
import { isFrame, isMessage, readFrame } from "./wire.ts";

export interface HandshakeOptions {
  readonly address: URL;
  readonly token: string;
  readonly clock: Clock;
  /** From the first packet to `auth_ok`, in milliseconds. */
  readonly deadlineMs: number;
}

/** An authenticated socket without listeners. */
export interface OpenSocket {
  readonly socket: WebSocket;
  /** The TCP or TLS connection below the WebSocket. */
  readonly connection: Socket | undefined;
  readonly haVersion: string;
}

/**
 * Connects and authenticates; `use` takes the socket in the same turn in which `auth_ok` came, so no message can fall between.
 * Rejects with an error of ours or with what `ws` met; the socket is gone then.
 */
export async function authenticate<T>(
  options: HandshakeOptions,
  use: (opened: OpenSocket) => T,
  signal: AbortSignal | undefined,
): Promise<T> {
  const { address, clock, deadlineMs } = options;
  const socket = new WebSocket(address, {
    // Off: a 2024 Home Assistant then makes a third of the events a second (measured), and in the house the line is not what is scarce.
    perMessageDeflate: false,
    maxPayload: HA_FRAME_MAX_BYTES,
    // readFrame checks it: `ws` would end the connection.
    skipUTF8Validation: true,
  });
  const settled = new AbortController();
  const { promise: limit, reject: cut } = Promise.withResolvers<never>();
  const giveUp = () => cut(disconnected(`Connecting to "${address.href}" was given up`));
  if (signal?.aborted) giveUp();
  signal?.addEventListener("abort", giveUp, { once: true, signal: settled.signal });
  void clock.sleep(deadlineMs, settled.signal).then(() => {
    cut(disconnected(`Home Assistant at "${address.href}" did not answer and authenticate within ${deadlineMs} ms`));
  });
  try {
    return await Promise.race([greet(socket, options, use), limit]);
  } catch (thrown) {
    socket.removeAllListeners();
    // Ending a socket that is not open yet makes `ws` emit one more error.
    socket.on("error", () => {});
    socket.terminate();
    throw thrown;
  } finally {
    settled.abort();
  }
}

function greet<T>(socket: WebSocket, options: HandshakeOptions, use: (opened: OpenSocket) => T): Promise<T> {
  const { address, token } = options;
  let connection: Socket | undefined;
  let greeted: string | undefined;
  return new Promise((resolve, reject) => {
    socket.on("upgrade", (answer) => {
      connection = answer.socket;
    });
    socket.on("unexpected-response", (_request, answer) => reject(answerFailure(answer, address)));
    socket.on("error", reject);
    socket.on("close", (code, reason) =>
      reject(disconnected(`"${address.href}" closed before authentication was done (${code} ${reason.toString()})`)),
    );
    socket.on("message", (data, isBinary) => {
      const said = readGreeting(data as Buffer, isBinary);
      if (said.type === "auth_required" && greeted === undefined) {
        greeted = said.haVersion ?? "";
        socket.send(JSON.stringify({ type: "auth", access_token: token }));
      } else if (said.type === "auth_ok" && greeted !== undefined) {
        socket.removeAllListeners();
        resolve(use({ socket, connection, haVersion: said.haVersion ?? greeted }));
      } else if (said.type === "auth_invalid") {
        reject(refused(address, said.message));
      } else {
        reject(notHomeAssistant(address, "it greets like another program"));
      }
    });
  });
}

interface Greeting {
  readonly type: string;
  readonly haVersion?: string;
  readonly message: string;
}

function readGreeting(data: Buffer, isBinary: boolean): Greeting {
  const frame = readFrame(data, isBinary);
  const first = isFrame(frame) ? frame[0] : undefined;
  if (!isMessage(first)) return { type: "", message: "" };
  return {
    type: first.type,
    ...(typeof first.ha_version === "string" && { haVersion: first.ha_version }),
    message: typeof first.message === "string" ? first.message.slice(0, 200) : "",
  };
}

const disconnected = (what: string) => new HearthlineError("home_assistant_disconnected", `${what}.`);

const refused = (address: URL, said: string) =>
  new HearthlineError(
    "home_assistant_token_refused",
    `Home Assistant at "${address.href}" refused the token ("${said}"). Make a long-lived access token there (profile, Security) and set it as HEARTHLINE_HA_TOKEN.`,
  );
