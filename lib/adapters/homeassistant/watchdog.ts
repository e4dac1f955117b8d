import type { Clock } from "../../base/clock.ts";

/** A message of this size may be a keep-alive of a proxy before a Home Assistant that hangs; more is data on its way. */
const KEEP_ALIVE_MAX_BYTES = 1_024;

export interface WatchdogOptions {
  readonly clock: Clock;
  /** Silence after which a ping is sent, in milliseconds. */
  readonly pingIntervalMs: number;
  /** How long the ping may stay without an answer, in milliseconds. */
  readonly pingTimeoutMs: number;
  /** What has come so far. A message of 64 MiB on a slow line is no message for a long time, but bytes come. */
  readonly heard: () => { readonly messages: number; readonly bytes: number };
  /** Sends a ping; resolves when it is answered, rejects when it is not within `deadlineMs`. */
  readonly ping: (deadlineMs: number) => Promise<unknown>;
  readonly onSilence: (reason: string) => void;
  readonly signal: AbortSignal;
}

/**
 * Finds a connection that is half open (the other side is gone, no packet says so): silence, a ping, silence.
 * Found at the latest `2 * pingIntervalMs + pingTimeoutMs` after the last message. Ends with `signal`.
 */
export async function watch(options: WatchdogOptions): Promise<void> {
  const { clock, pingIntervalMs, pingTimeoutMs, heard, signal } = options;
  const moved = (since: ReturnType<typeof heard>): boolean => {
    const now = heard();
    return now.messages > since.messages || now.bytes > since.bytes + KEEP_ALIVE_MAX_BYTES;
  };
  while (!signal.aborted) {
    const before = heard();
    await clock.sleep(pingIntervalMs, signal);
    if (signal.aborted || moved(before)) continue;
    const atPing = heard();
    const answered = await options.ping(pingTimeoutMs).then(
      () => true,
      () => false,
    );
    if (signal.aborted || answered || moved(atPing)) continue;
    options.onSilence(`nothing came for ${pingIntervalMs} ms, and no answer to a ping within ${pingTimeoutMs} ms`);
    return;
  }
}
