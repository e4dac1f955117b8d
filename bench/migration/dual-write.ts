import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock as clock } from "../../lib/base/clock.ts";
import { buildRelay, type HealthOfRelay, type RelayUnderTest, startRelay } from "../relay/process.ts";
import { startSocketHome } from "../relay/socket-home.ts";
import { type Figures, progress } from "../support/report.ts";
import { startLegacy } from "./legacy.ts";
import { startLineTaker, startQueue } from "./takers.ts";

/** A busy stream, so that what an event costs stands out; and one of a home. */
const STREAMS = {
  busy: { count: 60_000, perSecond: 4_000, frameEvents: 20, rounds: 2 },
  home: { count: 300, perSecond: 10, frameEvents: 1, rounds: 1 },
} as const;
type Stream = (typeof STREAMS)[keyof typeof STREAMS];
/** The relay is at rest by then: its programs are read, the home's states are in. */
const REST_MS = 3_000;
const LOOK_MS = 1_000;
const FLUSH_SECONDS = 2;
/** Nobody listens there. */
const DEAD_URL = "http://127.0.0.1:9/api/v1/events";

/** Who takes the events besides the cloud. */
const ARMS = ["alone", "http", "influxdb", "dead"] as const;
type Arm = (typeof ARMS)[number];

interface Run {
  readonly cpuSeconds: number;
  readonly peakRssMb: number;
  /** Of what the cloud had not taken yet, at each look while events came: the mean. */
  readonly cloudLagRecords: number;
  /** Whether the breaker of the second sink was seen open. */
  readonly isOpen: boolean;
}

interface Setting {
  readonly folder: string;
  readonly program: string;
  readonly queueUrl: string;
  readonly settings: Readonly<Record<Arm, Readonly<Record<string, string>>>>;
}

/**
 * What the relay's second sink costs: the relay as it is installed, in a process of its own, before a home that fires the same events; CPU of its process until all that can be sent is sent. `http` is local/legacy,
 * `influxdb` a server that takes every line; `dead`: nobody listens where OLD should be. The arms take turns, so that a busy machine is busy for all of them.
 */
export async function measureDualWrite(): Promise<Figures> {
  const folder = mkdtempSync(join(tmpdir(), "hearthline-bench-dual-"));
  const legacy = await startLegacy(folder);
  const [queue, lines] = await Promise.all([startQueue(), startLineTaker()]);
  try {
    const old = (kind: string, url: string) => ({ HEARTHLINE_OLD_SINK: kind, HEARTHLINE_OLD_URL: url });
    const settings = {
      alone: {},
      http: old("http", `${legacy.url}/api/v1/events`),
      influxdb: old("influxdb", lines.url),
      dead: old("http", DEAD_URL),
    };
    const setting = { folder, program: buildRelay(folder), queueUrl: queue.url, settings };
    return { ...(await busyFigures(setting)), ...(await homeFigures(setting)) };
  } finally {
    queue.stop();
    lines.stop();
    await legacy.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What disturbs a process only ever adds to what it computes: of each arm the run with the least counts. */
const least = (runs: readonly Run[], of: (run: Run) => number): number => Math.min(...runs.map(of));

async function busyFigures(setting: Setting): Promise<Figures> {
  const runs = await runArms(setting, STREAMS.busy);
  const cpu = (arm: Arm) => (least(runs[arm], ({ cpuSeconds }) => cpuSeconds) / STREAMS.busy.count) * 1e6;
  const figures: Record<string, number> = {};
  for (const arm of ARMS) {
    figures[`relay_cpu_seconds_per_million_${arm}`] = cpu(arm);
    if (arm !== "alone") figures[`relay_cpu_ratio_${arm}`] = cpu(arm) / cpu("alone");
    figures[`relay_rss_peak_mb_${arm}`] = least(runs[arm], ({ peakRssMb }) => peakRssMb);
    figures[`cloud_lag_mean_records_${arm}`] = least(runs[arm], ({ cloudLagRecords }) => cloudLagRecords);
  }
  return { ...figures, dead_breaker_open: Number(runs.dead.every(({ isOpen }) => isOpen)) };
}

async function homeFigures(setting: Setting): Promise<Figures> {
  const runs = await runArms(setting, STREAMS.home);
  const { count, perSecond } = STREAMS.home;
  const percent = (arm: Arm) => (least(runs[arm], ({ cpuSeconds }) => cpuSeconds) / (count / perSecond)) * 100;
  return Object.fromEntries(ARMS.map((arm) => [`relay_core_percent_at_${perSecond}_${arm}`, percent(arm)]));
}

async function runArms(setting: Setting, stream: Stream): Promise<Readonly<Record<Arm, readonly Run[]>>> {
  const runs: Record<Arm, Run[]> = { alone: [], http: [], influxdb: [], dead: [] };
  for (let round = 0; round < stream.rounds; round++)
    for (const arm of round % 2 === 0 ? ARMS : ARMS.toReversed()) {
      const run = await runOne(setting, arm, stream);
      progress(`dual write at ${stream.perSecond} a second, ${arm}: ${JSON.stringify(run)}`);
      runs[arm].push(run);
    }
  return runs;
}

async function runOne(setting: Setting, arm: Arm, stream: Stream): Promise<Run> {
  const { program, queueUrl } = setting;
  const data = mkdtempSync(join(setting.folder, "relay-"));
  const home = await startSocketHome();
  const settings = { ...setting.settings[arm], HEARTHLINE_FLUSH_SECONDS: String(FLUSH_SECONDS) };
  const relay = await startRelay({ program, homeUrl: home.url, data, queueUrl, settings });
  try {
    await home.subscribed;
    await clock.sleep(REST_MS);
    const before = relay.cpuSeconds();
    let isFiring = true;
    const fired = home.fire(stream).finally(() => {
      isFiring = false;
    });
    const seen = await watch(relay, { isFiring: () => isFiring, isDead: arm === "dead" });
    await fired;
    return { cpuSeconds: relay.cpuSeconds() - before, peakRssMb: relay.peakRssMb(), ...seen };
  } finally {
    await relay.stop();
    home.close();
    rmSync(data, { recursive: true, force: true });
  }
}

/** Looks once a second, like whoever watches a relay, until all is fired and those who take events have all. */
async function watch(
  relay: RelayUnderTest,
  { isFiring, isDead }: { readonly isFiring: () => boolean; readonly isDead: boolean },
): Promise<Pick<Run, "cloudLagRecords" | "isOpen">> {
  const sink = ({ sinks }: HealthOfRelay, name: string) => sinks.find((one) => one.name === name);
  let [lagSum, looks, isOpen, sequence] = [0, 0, false, -1];
  for (;;) {
    await clock.sleep(LOOK_MS);
    const health = await relay.health();
    const [cloud, old] = [sink(health, "cloud"), sink(health, "old")];
    if (isFiring()) {
      lagSum += cloud?.lag_records ?? 0;
      looks += 1;
    }
    isOpen ||= old !== undefined && old.breaker !== "closed";
    const isSettled = health.last_sequence === sequence;
    sequence = health.last_sequence;
    const waiting = (cloud?.lag_records ?? 0) + (isDead ? 0 : (old?.lag_records ?? 0));
    if (!isFiring() && isSettled && waiting === 0) return { cloudLagRecords: lagSum / Math.max(1, looks), isOpen };
  }
}
