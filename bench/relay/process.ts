import { fork, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";

const root = resolve(import.meta.dirname, "../..");
/** Of /proc/PID/stat: so many ticks make a second on Linux. */
const TICKS_PER_SECOND = 100;

/** The relay as it runs in a house: a process of its own, here without a cloud that answers. */
export interface RelayUnderTest {
  rssMb(): number;
  /** The highest RSS that the kernel saw. */
  peakRssMb(): number;
  cpuSeconds(): number;
  health(): Promise<HealthOfRelay>;
  stop(): Promise<void>;
}

/** What benches read of it. */
export interface HealthOfRelay {
  readonly spool: { readonly bytes: number };
  readonly last_sequence: number;
  readonly sinks: readonly {
    readonly name: string;
    readonly lag_records: number;
    readonly breaker: string;
  }[];
}

export interface RelayLaunch {
  /** `relay.mjs`, made by `buildRelay`. */
  readonly program: string;
  readonly homeUrl: string;
  readonly data: string;
  /** Where the queue is; default: where nobody listens. */
  readonly queueUrl?: string;
  /** Further settings. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** The relay as one file, as it is installed in a house; where it is. */
export function buildRelay(folder: string): string {
  const script = join(root, "scripts/build-relay.mjs");
  const { status, stderr } = spawnSync(process.execPath, [script, folder], { encoding: "utf8" });
  if (status !== 0) throw new Error(`The relay could not be built: ${stderr}`);
  return join(folder, "relay.mjs");
}

export async function startRelay({
  program,
  homeUrl,
  data,
  queueUrl = "http://127.0.0.1:9",
  settings,
}: RelayLaunch): Promise<RelayUnderTest> {
  const child = fork(program, [], {
    // As the unit and the app start it.
    execArgv: ["--max-semi-space-size=1", "--max-old-space-size=512"],
    stdio: ["ignore", "ignore", "inherit", "ipc"],
    env: {
      PATH: process.env.PATH,
      HEARTHLINE_HA_URL: homeUrl,
      HEARTHLINE_HA_TOKEN: "a-token-that-nobody-checks-here",
      HEARTHLINE_HOME_KEY: Buffer.alloc(32, 7).toString("base64"),
      HEARTHLINE_DATA: data,
      HEARTHLINE_SPOOL_MAX_MB: "16000",
      HEARTHLINE_LOG_LEVEL: "error",
      AWS_ENDPOINT_URL_SQS: queueUrl,
      AWS_ACCESS_KEY_ID: "test",
      AWS_SECRET_ACCESS_KEY: "test",
      ...settings,
    },
  });
  const { port } = await new Promise<{ port: number }>((done, fail) => {
    child.once("message", (message) => done(message as { port: number }));
    child.once("exit", (code) => fail(new Error(`The relay ended with ${code} before it was ready.`)));
  });
  const statusKb = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(readFileSync(`/proc/${child.pid}/status`, "utf8"))?.[1]);
  return {
    rssMb: () => (statusKb("VmRSS") * 1024) / 1e6,
    peakRssMb: () => (statusKb("VmHWM") * 1024) / 1e6,
    cpuSeconds() {
      const fields = readFileSync(`/proc/${child.pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
      return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
    },
    async health() {
      return (await (await fetch(`http://127.0.0.1:${port}/health`)).json()) as HealthOfRelay;
    },
    stop: () =>
      new Promise((done) => {
        child.once("exit", () => done());
        child.kill("SIGTERM");
      }),
  };
}
