import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Clock } from "../../../lib/base/clock.ts";
import { createTestApi, serveApi, type TestApi, tokenText } from "../../support/api.ts";
import { runCli } from "../../support/cli.ts";
import { manualClock } from "../../support/manual-clock.ts";

const NIGHT_MS = Date.UTC(2026, 10, 22, 2);
let api: TestApi;
let served: Awaited<ReturnType<typeof serveApi>>;
beforeEach(async () => {
  api = await createTestApi({ clock: manualClock(NIGHT_MS) });
  served = await serveApi(api);
});
afterEach(() => served.close());

/** What the analyze function would do: ends what waits. */
async function workOff(status: "succeeded" | "degraded"): Promise<void> {
  for (const { body } of api.analysisQueue.take()) {
    const { job_id: id } = JSON.parse(body) as { job_id: string };
    const lease = { startedAt: "2026-11-22T02:00:01.000Z", untilMs: NIGHT_MS + 9_000, nowMs: NIGHT_MS };
    const job = await api.jobs.claim("home", id, lease);
    if (!job) continue;
    const phase = { name: "events", startedAt: lease.startedAt, durationMs: 1_500, counts: { read_events: 1_234 } };
    const phases = [{ ...phase, status: status === "succeeded" ? status : "failed", error: "store away" } as const];
    await api.jobs.save({ ...job, status, phases, finishedAt: "2026-11-22T02:00:04.000Z", peakRssBytes: 9e7 });
  }
}

interface Around {
  readonly signal?: AbortSignal;
  readonly sleep?: () => Promise<void>;
  readonly token?: string;
}

async function run(
  args: readonly string[],
  status: "succeeded" | "degraded" = "succeeded",
  { signal = new AbortController().signal, sleep = () => workOff(status), token = tokenText("home") }: Around = {},
) {
  const manual = manualClock(NIGHT_MS);
  let sleptMs = 0;
  const clock: Clock = {
    ...manual,
    monotonicMs: () => manual.monotonicMs() + sleptMs,
    sleep: (ms) => {
      sleptMs += ms;
      return sleep();
    },
  };
  return runCli(args, { url: served.url, token, clock, signal, isTerminal: true });
}

describe("jobs", () => {
  it("are listed and shown with their phases, and run by hand", async () => {
    expect((await run(["jobs", "list"])).out).toContain("no job has run yet");
    expect((await run(["jobs", "run", "--date", "2026-11-20"])).out).toContain("daily-2026-11-20 is queued");
    await workOff("degraded");
    expect((await run(["jobs", "list"])).out).toMatch(/daily-2026-11-20 +degraded +3 s +events:FAILED/);
    expect((await run(["jobs", "show", "daily-2026-11-20"])).out).toMatch(/degraded in 3 s, 90 MB\n.*\n.*store away/);
    expect((await run(["jobs", "show", "none"])).code).toBe(1);
    expect((await run(["jobs", "list", "--limit", "x"])).code).toBe(2);
  });
});

describe("analyze", () => {
  it("runs each day of a range in order, waits for each, and prints its phases", async () => {
    const { code, out, err } = await run(["analyze", "--from", "2026-11-18", "--to", "2026-11-20"]);
    expect(code).toBe(0);
    expect([...out.matchAll(/daily-(\S+): succeeded/g)].map(([, date]) => date)).toEqual([
      "2026-11-18",
      "2026-11-19",
      "2026-11-20",
    ]);
    expect(out).toMatch(/events +succeeded +1\.5 s/);
    expect(err).toMatch(/0 days/);
    const json = JSON.parse((await run(["analyze", "--date", "2026-11-20", "--json"])).out) as { jobs: unknown[] };
    expect(json.jobs).toHaveLength(1);
  });

  it("waits while the server is away for a moment, and says so when it stays away", async () => {
    const { fetch } = globalThis;
    const away = (looks: number) =>
      vi.stubGlobal("fetch", (url: URL, init: RequestInit) =>
        init.method === "GET" && url.pathname.includes("/jobs/") && looks-- > 0
          ? Promise.reject(new TypeError("fetch failed"))
          : fetch(url, init),
      );
    try {
      away(20);
      expect((await run(["analyze", "--date", "2026-11-20"])).code).toBe(0);
      away(Number.POSITIVE_INFINITY);
      const gone = await run(["analyze", "--date", "2026-11-19"]);
      expect([gone.code, gone.out]).toEqual([3, ""]);
      expect(gone.err).toContain("could not be reached");
    } finally {
      vi.unstubAllGlobals();
    }
  });

  it("stops waiting by Ctrl-C and says which job goes on; one that may not write is told so", async () => {
    const stop = new AbortController();
    const stopped = await run(["analyze", "--from", "2026-11-18", "--to", "2026-11-20", "--json"], "succeeded", {
      signal: stop.signal,
      sleep: async () => stop.abort(),
    });
    expect([stopped.code, stopped.out]).toEqual([1, ""]);
    expect(stopped.err).toContain("daily-2026-11-18 goes on by itself");
    expect(await api.jobs.list("home", 5)).toHaveLength(1);
    const readOnly = await run(["analyze", "--date", "2026-11-17"], "succeeded", { token: tokenText("home", "r") });
    expect([readOnly.code, readOnly.out]).toEqual([1, ""]);
    expect(readOnly.err).toContain("403");
  });

  it("runs a week once, whichever of its days are named", async () => {
    const { out } = await run(["analyze", "--kind", "weekly", "--from", "2026-11-15", "--to", "2026-11-21"]);
    expect(out.match(/weekly-2026-11-21: succeeded/g)).toHaveLength(1);
  });

  it("ends with 1 when a job is degraded, and names what is wrong with its dates", async () => {
    expect((await run(["analyze", "--date", "2026-11-20"], "degraded")).code).toBe(1);
    for (const args of [[], ["--date", "x"], ["--from", "2026-11-20"], ["--from", "2026-11-20", "--to", "2026-11-19"]])
      expect((await run(["analyze", ...args])).code).toBe(2);
    expect((await run(["analyze", "--date", "2026-11-22"])).code).toBe(2);
    expect((await run(["analyze", "--from", "2020-01-01", "--to", "2026-01-01"])).code).toBe(2);
  });
});
