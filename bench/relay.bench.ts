/**
 * The relay: what it takes in a second and core, beside plain appendFileSync and SQLite of the same bytes; what an event takes on the disk and on the wire; how long it
 * starts on a full spool; what a long outage and ten million events cost in memory; what an event costs in a quiet home. `npm run bench -- relay [--events N]`
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { buildRelay, type RelayUnderTest, startRelay } from "./relay/process.ts";
import { type SocketHome, startSocketHome } from "./relay/socket-home.ts";
import { median, progress, report } from "./support/report.ts";

const GOALS = {
  spool_events_per_second_and_core: 60_000,
  outage_peak_rss_mb: 100,
  recovery_seconds_per_gb: 0.2,
  endurance_rss_growth_mb: 10,
};
const RUNS = 3;
const SPOOL_EVENTS = 1_000_000;
/** Thirty days of a home with 100,000 events a day. */
const OUTAGE_EVENTS = 3_000_000;
/** Far above any home, so that the run ends; a socket, another process and the relay share the cores. */
const SOCKET_EVENTS_PER_SECOND = 20_000;
const FRAME_EVENTS = 100;

const { values: args } = parseArgs({ options: { events: { type: "string", default: "10000000" } } });
const enduranceEvents = Number(args.events);
const folder = mkdtempSync(join(tmpdir(), "hearthline-bench-relay-"));
let folders = 0;
const newFolder = (): string => {
  const made = join(folder, String(folders++));
  mkdirSync(made);
  return made;
};

const program = buildRelay(newFolder());

interface Measured {
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly bytes: number;
  readonly bytesAnEvent: number;
  readonly openMs: number;
  readonly lag: number;
  readonly eventsAMessage: number;
}

function worker(mode: string, events: number, where = newFolder()): Measured {
  const script = resolve(import.meta.dirname, "relay/worker.ts");
  const { stdout, status } = spawnSync(process.execPath, [script, mode, where, String(events)], {
    stdio: ["ignore", "pipe", "inherit"],
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`The measurement "${mode}" ended with ${status}.`);
  progress(`${mode}: ${stdout.trim()}`);
  return JSON.parse(stdout) as Measured;
}

/** A relay as a process before a home on a socket. */
async function withRelay<T>(
  work: (home: SocketHome, relay: RelayUnderTest) => Promise<T>,
  data = newFolder(),
): Promise<T> {
  const home = await startSocketHome();
  const relay = await startRelay({ program, homeUrl: home.url, data });
  await home.subscribed;
  try {
    return await work(home, relay);
  } finally {
    await relay.stop();
    home.close();
  }
}

/** All that was fired is in the spool when its numbers stand still. */
async function settled(relay: RelayUnderTest): Promise<number> {
  for (let before = -1; ; ) {
    const { last_sequence: last } = await relay.health();
    if (last === before) return last;
    before = last;
    await new Promise((done) => setTimeout(done, 1_000));
  }
}

interface Endured {
  readonly peakMb: number;
  readonly firstMb: number;
  readonly lastMb: number;
  readonly numbers: number;
}

const endure = (events: number): Promise<Endured> =>
  withRelay(async (home, relay) => {
    const rss: number[] = [];
    const onEachMillion = (fired: number) => {
      rss.push(relay.rssMb());
      progress(`${fired} events fired, relay ${relay.rssMb().toFixed(0)} MB`);
    };
    await home.fire({ count: events, perSecond: SOCKET_EVENTS_PER_SECOND, frameEvents: FRAME_EVENTS, onEachMillion });
    const numbers = await settled(relay);
    const third = Math.ceil(rss.length / 3);
    return {
      peakMb: relay.peakRssMb(),
      firstMb: median(rss.slice(0, third)),
      lastMb: median(rss.slice(-third)),
      numbers,
    };
  });

interface Quiet {
  /** Microseconds of the processor for each event, everything that the relay does meanwhile included. */
  readonly usAnEvent: number;
  readonly share: number;
  readonly restMb: number;
  readonly peakMb: number;
}

const cpuAt = (perSecond: number, seconds: number, data?: string): Promise<Quiet> =>
  withRelay(async (home, relay) => {
    await new Promise((done) => setTimeout(done, 3_000));
    const before = relay.cpuSeconds();
    const count = Math.ceil(perSecond * seconds);
    await Promise.all([
      home.fire({ count, perSecond, frameEvents: 1 }),
      new Promise((done) => setTimeout(done, seconds * 1_000)),
    ]);
    const cpu = relay.cpuSeconds() - before;
    const figures = { usAnEvent: (cpu / count) * 1e6, share: cpu / seconds, restMb: relay.rssMb() };
    return { ...figures, peakMb: relay.peakRssMb() };
  }, data);

try {
  const rates = { spool: [] as number[], append: [] as number[], sqlite: [] as number[] };
  let bytesOnDisk = 0;
  for (let run = 0; run < RUNS; run++) {
    for (const mode of ["spool", "append", "sqlite"] as const) {
      const { wallMs, cpuMs, bytesAnEvent } = worker(mode, SPOOL_EVENTS);
      // A second of one core, or of the clock where waiting for the disk takes longer.
      rates[mode].push((SPOOL_EVENTS / Math.max(wallMs, cpuMs)) * 1_000);
      if (mode === "spool") bytesOnDisk = bytesAnEvent;
    }
  }
  const outageFolder = newFolder();
  const { bytes } = worker("outage", OUTAGE_EVENTS, outageFolder);
  // The relay goes on in the outage, with all of it spooled; only then the cloud is back.
  const outage = await cpuAt(100, 60, outageFolder);
  progress(`with the outage spooled: at most ${outage.peakMb.toFixed(0)} MB`);
  const drain = worker("drain", OUTAGE_EVENTS, outageFolder);
  const quiet = await cpuAt(0.3, 120);
  const busy = await cpuAt(100, 30);
  progress(`at rest ${quiet.restMb.toFixed(0)} MB`);
  const endurance = await endure(enduranceEvents);
  const spoolRate = median(rates.spool);
  const recoverySeconds = drain.openMs / 1_000;
  report(
    "relay",
    {
      spool_events_per_second_and_core: spoolRate,
      plain_append_events_per_second: median(rates.append),
      sqlite_wal_events_per_second: median(rates.sqlite),
      spool_of_plain_append_ratio: spoolRate / median(rates.append),
      spool_of_sqlite_wal_ratio: spoolRate / median(rates.sqlite),
      disk_bytes_per_event: bytesOnDisk,
      wire_bytes_per_event: drain.bytesAnEvent,
      events_per_message: drain.eventsAMessage,
      outage_spool_gb: bytes / 1e9,
      recovery_seconds: recoverySeconds,
      recovery_seconds_per_gb: recoverySeconds / (bytes / 1e9),
      drain_events_per_second: (drain.lag / drain.wallMs) * 1_000,
      cpu_us_per_event_at_0_3: quiet.usAnEvent,
      cpu_percent_at_0_3: quiet.share * 100,
      cpu_us_per_event_at_100: busy.usAnEvent,
      cpu_percent_at_100: busy.share * 100,
      rest_rss_mb: quiet.restMb,
      outage_peak_rss_mb: outage.peakMb,
      endurance_events: enduranceEvents,
      endurance_missing_events: Math.max(0, enduranceEvents - endurance.numbers),
      endurance_peak_rss_mb: endurance.peakMb,
      endurance_rss_growth_mb: endurance.lastMb - endurance.firstMb,
    },
    GOALS,
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
