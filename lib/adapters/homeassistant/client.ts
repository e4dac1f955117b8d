import type { Clock } from "../../base/clock.ts";
import { HearthlineError, isHearthlineError } from "../../base/errors.ts";
import type { HaSession, HomeAssistant } from "../../relay/ports.ts";
import { socketAddress } from "./address.ts";
import { HaCommandError } from "./commands.ts";
import { connectionFailure, speaksTls, wantsTls } from "./failures.ts";
import { authenticate } from "./handshake.ts";
import type { HaProblem, OnProblem } from "./problem.ts";
import { createSession } from "./session.ts";

export interface HomeAssistantOptions {
  /** Any form that `socketAddress` reads. */
  readonly url: string;
  /** A long-lived access token, or the Supervisor's. In no message and no error. */
  readonly token: string;
  readonly clock: Clock;
  /** From the first packet to `auth_ok`, in milliseconds. Default 10,000: the time that Home Assistant itself gives to authenticate. */
  readonly connectTimeoutMs?: number;
  /** For each command, in milliseconds. Default 30,000. */
  readonly commandTimeoutMs?: number;
  /** Silence after which a ping is sent, in milliseconds. Default 15,000. A half-open connection is found within 2 intervals and one timeout. */
  readonly pingIntervalMs?: number;
  /** For the answer to a ping, in milliseconds. Default 10,000. */
  readonly pingTimeoutMs?: number;
  readonly onProblem?: OnProblem;
}

/** @throws HearthlineError `home_assistant_address_wrong` */
export function createHomeAssistant(options: HomeAssistantOptions): HomeAssistant {
  const address = socketAddress(options.url);
  const token = options.token.trim();
  const redact = (text: string): string => (token === "" ? text : text.replaceAll(token, "[secret]"));
  const timing = {
    clock: options.clock,
    commandTimeoutMs: options.commandTimeoutMs ?? 30_000,
    pingIntervalMs: options.pingIntervalMs ?? 15_000,
    pingTimeoutMs: options.pingTimeoutMs ?? 10_000,
  };
  let wasThere = false;

  const report = (problem: HaProblem): void => {
    try {
      options.onProblem?.(problem);
    } catch {
      // Whoever counts problems must not become one.
    }
  };

  /** A failure as the caller should see it: without the token, and with what is known of this address. */
  async function explained(thrown: unknown): Promise<HearthlineError> {
    const error = isHearthlineError(thrown) ? thrown : connectionFailure(thrown, address);
    // A proxy whose backend restarts may answer 404 or a page of its own: once it was Home Assistant, only waiting helps.
    if (wasThere && error.code === "home_assistant_not_home_assistant")
      return new HearthlineError("home_assistant_disconnected", redact(error.message), { cause: error });
    const isPlain = address.protocol === "ws:";
    if (!wasThere && isPlain && isCutOff(thrown) && (await speaksTls(address, options.clock))) return wantsTls(address);
    return error.message === redact(error.message) ? error : new HearthlineError(error.code, redact(error.message));
  }

  return {
    connect: async (signal) => {
      let session: HaSession;
      try {
        session = await authenticate(
          { address, token, clock: options.clock, deadlineMs: options.connectTimeoutMs ?? 10_000 },
          (opened) => createSession({ ...opened, ...timing, report, redact }),
          signal,
        );
      } catch (thrown) {
        throw await explained(thrown);
      }
      wasThere = true;
      await coalesce(session, signal);
      return session;
    },
  };
}

/** How a plain request ends at a port that wants TLS: cut off, answered with a TLS alert, or told so with 400. */
const isCutOff = (thrown: unknown): boolean => {
  const { code, message } = thrown as Error & { code?: string };
  return (
    code === "ECONNRESET" ||
    code === "EPIPE" ||
    /socket hang up|no WebSocket server|Parse Error|answer was 400/.test(message)
  );
};

/** Asks for lists of messages. A Home Assistant that knows no features answers with an error, and sends one message a frame. */
async function coalesce(session: HaSession, signal: AbortSignal | undefined): Promise<void> {
  const answered = new AbortController();
  signal?.addEventListener("abort", () => void session.close(), { once: true, signal: answered.signal });
  try {
    await session.command({ type: "supported_features", features: { coalesce_messages: 1 } });
  } catch (thrown) {
    if (thrown instanceof HaCommandError) return;
    await session.close();
    throw thrown;
  } finally {
    answered.abort();
  }
}
