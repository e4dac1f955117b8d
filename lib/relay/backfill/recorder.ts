import type { Clock } from "../../base/clock.ts";
import { HearthlineError, isHearthlineError } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import type { HaSession } from "../ports.ts";

/** Home Assistant commits every 5 s unless it is set otherwise. */
export const COMMIT_MS = 6_000;
const BACKLOG_POLL_MS = 1_000;
/** A full backlog is 65,000 events; a small computer writes some hundred a second. */
const BACKLOG_PATIENCE_MS = 300_000;
const ATTEMPTS = 3;
const AGAIN_MS = 3_000;

/**
 * - `ready`: it has written down what had happened when it was asked.
 * - `behind`: not within five minutes; the rest may be missing.
 * - `off`: it writes nothing down now; what it has it may still give.
 * - `none`: there is none.
 */
export type RecorderState = "ready" | "behind" | "off" | "none";

/** Waits until the recorder has caught up, and one commit more. @throws `home_assistant_disconnected` */
export async function waitForRecorder(session: HaSession, clock: Clock): Promise<RecorderState> {
  const endMs = clock.monotonicMs() + BACKLOG_PATIENCE_MS;
  for (;;) {
    const info = await patiently(() => session.getRecorder(), clock);
    if (!info) return "none";
    if (!info.isRecording) return "off";
    if (info.backlog === 0) {
      await clock.sleep(COMMIT_MS);
      return "ready";
    }
    if (clock.monotonicMs() >= endMs) return "behind";
    await clock.sleep(BACKLOG_POLL_MS);
  }
}

/** Asks again what was not answered; undefined: it will not be. @throws `home_assistant_disconnected` */
export async function patiently<T>(ask: () => Promise<T>, clock: Clock, log?: Logger): Promise<T | undefined> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await ask();
    } catch (thrown) {
      const isOver = !isHearthlineError(thrown) || thrown.code === "home_assistant_disconnected";
      if (isOver) throw thrown;
      if (attempt >= ATTEMPTS) {
        log?.warn("Home Assistant's recorder does not answer.", { error: thrown });
        return undefined;
      }
      await clock.sleep(AGAIN_MS * attempt);
    }
  }
}

/** A question that stays without an answer ends the walk through its batch. */
export class NoAnswer extends HearthlineError {
  constructor() {
    super(
      "command_timeout",
      "Home Assistant's recorder gave no answer to a question about the past, asked three times.",
    );
  }
}
