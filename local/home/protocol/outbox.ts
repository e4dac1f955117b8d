import type { WebSocket } from "ws";
import type { HomeCore } from "../live/home-core.ts";

/** Messages that wait for one client: more, and it is cut. Source: core websocket_api/const.py MAX_PENDING_MSG; seen with the real ones. */
export const MAX_PENDING_MESSAGES = 4_096;
/** As many for long enough, and it is cut too. Source: PENDING_MSG_PEAK. */
export const PENDING_PEAK_MESSAGES = 1_024;
/** From so many on they are written at once. Source: PENDING_MSG_MAX_FORCE_READY. */
const FORCE_WRITE_MESSAGES = 256;
/** What a socket takes before messages have to wait. Source: core websocket_api/http.py, writer limit after authentication. */
const SOCKET_BUFFER_BYTES = 1_048_576;

/** What waits to be written to one client. */
export interface Outbox {
  readonly size: () => number;
  /** Several messages in one frame. */
  isCoalescing: boolean;
  add(frame: string): void;
  /** Writes what the socket takes. */
  write(): void;
  /** Forgets what waits, and takes nothing more. */
  close(): void;
}

/** `cut` is called when the client is too slow: too many messages wait, or many for too long. */
export function createOutbox(core: Pick<HomeCore, "timeline" | "flavour">, ws: WebSocket, cut: () => void): Outbox {
  let queue: string[] = [];
  let isScheduled = false;
  let isClosed = false;
  let cancelPeak: (() => void) | undefined;
  const outbox: Outbox = {
    size: () => queue.length,
    isCoalescing: false,
    add(frame) {
      if (isClosed) return;
      queue.push(frame);
      if (queue.length >= MAX_PENDING_MESSAGES) return cut();
      if (queue.length > PENDING_PEAK_MESSAGES)
        cancelPeak ??= core.timeline.after(core.flavour.peakMs, () => queue.length > PENDING_PEAK_MESSAGES && cut());
      if (queue.length >= FORCE_WRITE_MESSAGES) return outbox.write();
      if (isScheduled) return;
      isScheduled = true;
      setImmediate(outbox.write);
    },
    write() {
      isScheduled = false;
      while (queue.length > 0 && !isClosed && ws.bufferedAmount < SOCKET_BUFFER_BYTES) {
        if (!outbox.isCoalescing || queue.length === 1) ws.send(queue.shift() ?? "");
        else {
          ws.send(`[${queue.join(",")}]`);
          queue = [];
        }
      }
      if (queue.length >= PENDING_PEAK_MESSAGES) return;
      cancelPeak?.();
      cancelPeak = undefined;
    },
    close() {
      isClosed = true;
      queue = [];
      cancelPeak?.();
    },
  };
  return outbox;
}
