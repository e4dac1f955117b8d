import type { Clock } from "../../base/clock.ts";
import { HearthlineError } from "../../base/errors.ts";
import { parseIsoUs } from "../../base/time.ts";
import type { OldDescription } from "../../migration/ports.ts";
import { clockSkewMs, isObject, said } from "./old-ask.ts";
import type { HttpAsk } from "./old-http-ask.ts";
import { FAR_US, lastRows, type ReadWindow } from "./old-windows.ts";

const WELL = new Set(["ok", "up", "healthy", "pass", "alive", "ready"]);

/**
 * By `GET /health` and the ends of its events. `/health` may say `status`, `product`, `version`, `schema`, `memory_bytes`, `rows_taken`, `oldest`, `newest`; what it does not say is asked for
 * or absent. Without a `schema` of its own it is "events": a shape that is another is `old_malformed` at the first event.
 */
export async function describeHttp(ask: HttpAsk, read: ReadWindow, clock: Clock): Promise<OldDescription> {
  const { json, headers } = await ask.get("/health");
  const health = isObject(json) ? json : {};
  const { status, product, version, schema, memory_bytes: memory, rows_taken: taken } = health;
  if (typeof status === "string" && !WELL.has(status.toLowerCase()))
    throw new HearthlineError("service_failed", `The old pipeline says of itself: ${said(status)}; wanted is "ok".`);
  const nowMs = clock.nowMs();
  const nowUs = nowMs * 1000;
  // That it has none is an answer too.
  const isEmpty = health.newest === null;
  const newestUs = isEmpty ? undefined : (timeIn(health.newest) ?? (await newest(read, nowUs)));
  const oldestUs = newestUs === undefined ? undefined : (timeIn(health.oldest) ?? (await oldest(ask)));
  const skew = clockSkewMs(headers, nowMs);
  return {
    product: [typeof product === "string" ? product : "an HTTP pipeline", version]
      .filter((part) => typeof part === "string")
      .join(" "),
    schema: typeof schema === "string" || typeof schema === "number" ? `events ${schema}` : "events",
    ...(skew !== undefined && { clockSkewMs: skew }),
    ...(oldestUs !== undefined && { oldestUs }),
    ...(newestUs !== undefined && { newestUs }),
    ...(isCount(memory) && { memoryBytes: memory }),
    ...(isCount(taken) && { rowsTaken: taken }),
  };
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;

function timeIn(value: unknown): number | undefined {
  try {
    return typeof value === "string" ? parseIsoUs(value) : undefined;
  } catch {
    return undefined;
  }
}

async function newest(read: ReadWindow, nowUs: number): Promise<number | undefined> {
  const [row] = await lastRows(read, { fromUs: 0, toUs: FAR_US, wanted: 1, nowUs });
  return row?.atUs;
}

async function oldest(ask: HttpAsk): Promise<number | undefined> {
  const { rows } = await ask.page({ fromUs: 0, toUs: FAR_US, limit: 1 });
  return rows[0]?.atUs;
}
