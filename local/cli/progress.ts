import type { Clock } from "../../lib/base/clock.ts";

export interface Progress {
  readonly rows: number;
  /** 0 to 1. */
  readonly fraction: number;
  /** What it waits for, when it waits. */
  readonly note?: string;
}

const DRAW_EVERY_MS = 200;
const BAR_WIDTH = 24;
const CLEAR_LINE = "\r\u001b[2K";

/** A bar in one line of a terminal: part done, rows (or what `unit` calls them), rows a second, time left. Draws at most five times a second. */
export function createProgressBar(write: (text: string) => void, clock: Clock, unit = "rows") {
  const startedMs = clock.monotonicMs();
  let drawnMs = Number.NEGATIVE_INFINITY;
  let first: number | undefined;
  return {
    show(progress: Progress): void {
      const nowMs = clock.monotonicMs();
      first ??= progress.fraction;
      if (nowMs - drawnMs < DRAW_EVERY_MS) return;
      drawnMs = nowMs;
      write(CLEAR_LINE + progressLine(progress, { elapsedMs: nowMs - startedMs, firstFraction: first, unit }));
    },
    end(): void {
      if (drawnMs !== Number.NEGATIVE_INFINITY) write(CLEAR_LINE);
    },
  };
}

/** `firstFraction`: where this run began; what an earlier one did says nothing of the rate. */
export function progressLine(
  { rows, fraction, note }: Progress,
  {
    elapsedMs,
    firstFraction,
    unit = "rows",
  }: { readonly elapsedMs: number; readonly firstFraction: number; readonly unit?: string },
): string {
  const done = Math.round(fraction * BAR_WIDTH);
  const bar = "#".repeat(done) + "-".repeat(BAR_WIDTH - done);
  const rate = elapsedMs > 0 ? Math.round((rows * 1000) / elapsedMs) : 0;
  const gained = fraction - firstFraction;
  const leftMs = gained > 0 ? (elapsedMs * (1 - fraction)) / gained : undefined;
  const left = leftMs === undefined ? "" : `  ${durationText(leftMs)} left`;
  const percent = `${Math.floor(fraction * 100)} %`.padStart(6);
  return `[${bar}]${percent}  ${rows.toLocaleString("en")} ${unit}  ${rate.toLocaleString("en")}/s${left}${note ? `  ${note}` : ""}`;
}

/** `8 s`, `3 min 20 s`, `2 h 5 min`. */
export function durationText(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60 ? `${minutes} min ${seconds % 60} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
