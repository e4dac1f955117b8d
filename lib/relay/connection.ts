import { isHearthlineError } from "../base/errors.ts";
import type { Random } from "../base/random.ts";
import { backoffMs } from "../base/retry.ts";
import type { GapCause } from "../event/index.ts";
import type { HomeAssistant } from "./ports.ts";
import { runSession, type SessionDeps } from "./session.ts";

export interface ConnectionDeps extends Omit<SessionDeps, "cause"> {
  readonly homeAssistant: HomeAssistant;
  readonly random: Random;
  readonly signal: AbortSignal;
  /** End instead of waiting when only a person can help (a refused token): for a relay that a person has just started by hand. */
  readonly endsWhenRefused: boolean;
}

const BASE_MS = 500;
/** While nobody answers. A restart of Home Assistant takes half a minute, and its first events tell what no snapshot does: the relay must not sleep through it. */
const UNREACHED_WAIT_MAX_MS = 10_000;
/** After sessions that were cut at once: each costs Home Assistant a reading of everything. */
const CUT_WAIT_MAX_MS = 60_000;
/** A refused token stays refused, and Home Assistant bans addresses that go on trying. */
const REFUSED_WAIT_MS = 300_000;
/** A session that lasted so long was a good one: the next failure is a first one again. */
const GOOD_SESSION_MS = 30_000;

/** Connects again and again, until `signal` aborts. Rejects only with a `stop` error, and only when `endsWhenRefused`. */
export async function keepConnected(deps: ConnectionDeps): Promise<void> {
  const { clock, random, signal, log, monitor, onChange } = deps;
  let cause: GapCause = "relay_stopped";
  for (let attempt = 1; !signal.aborted; attempt++) {
    const startMs = clock.monotonicMs();
    let waitMs: number;
    try {
      const lastError = await oneSession({ ...deps, cause });
      if (clock.monotonicMs() - startMs >= GOOD_SESSION_MS) attempt = 1;
      if (signal.aborted) return;
      monitor.setConnection(false, { lastError });
      waitMs = backoffMs(attempt, random, { baseMs: BASE_MS, maxMs: CUT_WAIT_MAX_MS });
      log.warn("The connection to Home Assistant has ended.", { reason: lastError, wait_ms: waitMs });
    } catch (thrown) {
      if (signal.aborted) return;
      if (clock.monotonicMs() - startMs >= GOOD_SESSION_MS) attempt = 1;
      const isRefused = isHearthlineError(thrown) && thrown.fate === "stop";
      const wasConnected = monitor.connection.connected;
      monitor.setConnection(false, { lastError: thrown instanceof Error ? thrown.message : String(thrown), isRefused });
      if (isRefused && deps.endsWhenRefused) throw thrown;
      waitMs = isRefused
        ? REFUSED_WAIT_MS * (1 + random() / 10)
        : backoffMs(attempt, random, {
            baseMs: BASE_MS,
            maxMs: wasConnected ? CUT_WAIT_MAX_MS : UNREACHED_WAIT_MAX_MS,
          });
      const said = isRefused
        ? "Home Assistant refuses the relay: a person has to act."
        : "Home Assistant cannot be reached.";
      log[isRefused ? "error" : "warn"](said, { error: thrown, attempt, wait_ms: Math.round(waitMs) });
    }
    if (monitor.hasConnected) cause = "disconnected";
    onChange();
    await clock.sleep(waitMs, signal);
  }
}

/** Gives the reason why it ended. */
async function oneSession(deps: ConnectionDeps & Pick<SessionDeps, "cause">): Promise<string> {
  const { homeAssistant, signal, monitor, log, onChange } = deps;
  const session = await homeAssistant.connect(signal);
  const close = () => void session.close().catch(() => {});
  signal.addEventListener("abort", close, { once: true });
  try {
    monitor.setConnection(true, { haVersion: session.haVersion });
    log.info("Connected to Home Assistant.", { ha_version: session.haVersion });
    onChange();
    if (signal.aborted) close();
    await runSession(session, deps);
    const { code, reason } = await session.closed;
    return `closed with ${code}${reason && `: ${reason}`}`;
  } finally {
    signal.removeEventListener("abort", close);
    await session.close().catch(() => {});
  }
}
