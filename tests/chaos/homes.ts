import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { stopPeer } from "../support/peers.ts";
import { startHome } from "../support/real-home.ts";
import { type Happened, readRecorder } from "../support/recorder.ts";
import { nameOf } from "./judge.ts";
import { isNumbered, type Numbers } from "./numbers.ts";
import { startPart } from "./part.ts";
import { followSentLog, recorderHas } from "./sent-log.ts";

/** A home that can be killed and that writes down what happened. */
export interface ChaosHome {
  readonly token: string;
  readonly counts: { readonly kills: number; readonly ends: number };
  port(): number;
  up(): Promise<unknown>;
  kill(downMs: number): void;
  signal(signal: NodeJS.Signals): void;
  /** A fault of the simulated home's own. */
  fault(fault: Readonly<Record<string, unknown>>): Promise<void>;
  /** Its own account so far, in the order of the home. */
  truth(): readonly Happened[];
  /** A mark of now; `dueAt` says how many of the account lie before it. Undefined: not all of them stand there yet. */
  mark(): number;
  dueAt(mark: number): number | undefined;
  /** An event that may have happened though the account does not have it. */
  mayHaveHappened(event: Happened): boolean;
  isRecorded(event: Happened): boolean;
  end(): Promise<void>;
}

interface SimulatedOptions {
  readonly program: string;
  readonly folder: string;
  readonly logFile: string;
  readonly port: number;
  readonly seed: number;
  readonly ratePerSecond: number;
  readonly env: NodeJS.ProcessEnv;
}

export function simulatedHome(options: SimulatedOptions): ChaosHome {
  const { program, port, folder, seed, ratePerSecond, env, logFile } = options;
  mkdirSync(folder, { recursive: true });
  const token = `sim_${randomBytes(32).toString("base64url")}`;
  const settings = { port, data: folder, seed, rate: ratePerSecond, token };
  const args = [program, ...Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)])];
  const part = startPart({ name: "home", launch: () => ({ args, env }), logFile });
  const readOn = followSentLog(folder);
  const truth: Happened[] = [];
  const account = () => {
    for (const event of readOn()) truth.push(event);
    return truth;
  };
  return {
    token,
    counts: part.counts,
    port: () => port,
    up: part.up,
    kill: part.kill,
    signal: part.signal,
    async fault(fault) {
      const request = { method: "POST", body: JSON.stringify(fault), signal: AbortSignal.timeout(2_000) };
      // A home that is just away has its fault already.
      await fetch(`http://127.0.0.1:${port}/_sim/faults`, request).catch(() => {});
    },
    truth: account,
    mark: () => account().length,
    dueAt: (mark) => mark,
    mayHaveHappened: () => false,
    isRecorded: (event) => recorderHas(folder, event),
    end: part.end,
  };
}

/** The recorder commits once a second: what happened before the mark stands there a little later. */
const RECORDER_LAG_MS = 3_000;

/** What a password field of the demo holds does not leave the house. */
const SECRET_ENTITIES: ReadonlySet<string> = new Set(["text.password"]);
const SECRET = "[secret]";

/** A real Home Assistant. Its recorder and what it confirmed over HTTP are the account. */
export async function realHome(version: string, numbers: () => Numbers | undefined): Promise<ChaosHome> {
  const home = await startHome(version);
  const counts = { kills: 0, ends: 0 };
  let again: Promise<unknown> = Promise.resolve();
  const truth = () => {
    const all = new Map<string, Happened>();
    for (const event of [...readRecorder(home.dir), ...(numbers()?.confirmed ?? [])]) {
      const told = SECRET_ENTITIES.has(event.entityId) ? { ...event, state: SECRET } : event;
      all.set(nameOf(told), told);
    }
    return [...all.values()].sort((a, b) => a.atUs - b.atUs);
  };
  return {
    token: home.token,
    counts,
    port: () => Number(new URL(home.url).port),
    up: () => again,
    kill(downMs) {
      counts.kills += 1;
      again = again.then(async () => {
        await stopPeer(home.dir, ["--kill"]);
        await new Promise((done) => setTimeout(done, downMs));
        await home.begin();
      });
      again.catch(() => {});
    },
    signal: () => {},
    fault: () => Promise.resolve(),
    truth,
    mark: () => Date.now() * 1_000,
    dueAt: (mark) =>
      Date.now() * 1_000 < mark + RECORDER_LAG_MS * 1_000
        ? undefined
        : truth().filter(({ atUs }) => atUs <= mark).length,
    mayHaveHappened: ({ entityId, state }) => !isNumbered(entityId) || Number(state) <= (numbers()?.tried ?? 0),
    isRecorded: (event) => readRecorder(home.dir).some((row) => nameOf(row) === nameOf(event)),
    end: () => again.then(home.stop, home.stop),
  };
}
