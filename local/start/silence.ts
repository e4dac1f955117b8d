import { get } from "node:http";
import type { Clock } from "../../lib/base/clock.ts";

const PAUSE_MS = 5_000;
/** A job that computes without a pause answers late; nothing of ours does so for this long, this often in a row. */
const ANSWER_WITHIN_MS = 10_000;
const SILENT_TIMES = 4;

export interface SilenceOptions {
  /** False: it took the question and gave no answer in time. */
  readonly answers: () => Promise<boolean>;
  /** It was silent four times in a row, a minute in all. Asked again from then on. */
  readonly onSilent: () => void;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Asks a part again and again whether it is there. A process that hangs does not end, so that its end tells nobody of it. */
export async function watchForSilence({ answers, onSilent, clock, signal }: SilenceOptions): Promise<void> {
  let silentTimes = 0;
  while (!signal.aborted) {
    await clock.sleep(PAUSE_MS, signal);
    if (signal.aborted) return;
    silentTimes = (await answers()) ? 0 : silentTimes + 1;
    if (silentTimes < SILENT_TIMES) continue;
    silentTimes = 0;
    if (!signal.aborted) onSilent();
  }
}

/** Whether something answers on this port of 127.0.0.1, whatever it says. Nobody listening there is an answer too: a part that is down or starts is not hung. */
export function answersHttp(port: number, withinMs = ANSWER_WITHIN_MS): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get({ host: "127.0.0.1", port, path: "/", agent: false, signal: AbortSignal.timeout(withinMs) });
    request.once("response", (answer) => {
      answer.destroy();
      resolve(true);
    });
    request.once("error", (error: NodeJS.ErrnoException) => resolve(error.code !== "ABORT_ERR"));
  });
}

/** Whether the relay with its status on this port has a session with Home Assistant. */
export async function isConnected(port: number): Promise<boolean> {
  try {
    const answer = await fetch(`http://127.0.0.1:${port}/health`, { signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
    return ((await answer.json()) as { connected?: boolean }).connected === true;
  } catch {
    return false;
  }
}
