/** One measurement of the relay in a process of its own: `worker.ts MODE FOLDER COUNT`. Its last line is one JSON object. */
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { seededRandom } from "../../lib/base/random.ts";
import { createAdmission } from "../../lib/relay/admit.ts";
import { homeEvents } from "./events.ts";
import { type Rig, startRig } from "./rig.ts";

const GROUP_RECORDS = 1_000;
const [mode = "", folder = "", count = "0"] = process.argv.slice(2);
const events = Number(count);

const cpuMs = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
};

/** Its wall time, and the processor's time of all threads of this process. */
async function timed(work: () => Promise<void>): Promise<{ wallMs: number; cpuMs: number }> {
  const [wall, cpu] = [performance.now(), cpuMs()];
  await work();
  return { wallMs: performance.now() - wall, cpuMs: cpuMs() - cpu };
}

/** The texts that admission makes, in groups as the intake appends them. */
function* groups(): Generator<string[]> {
  const admission = createAdmission(() => true);
  const texts = homeEvents(20_000, seededRandom(2)).flatMap((event) => {
    const admitted = admission.event(event);
    return admitted.outcome === "admitted" ? [admitted.text] : [];
  });
  for (let from = 0; from < events; from += GROUP_RECORDS) {
    yield Array.from({ length: GROUP_RECORDS }, (_, index) => texts[(from + index) % texts.length] ?? "");
  }
}

async function drained(rig: Rig): Promise<void> {
  while (rig.lag() > 0) await new Promise((done) => setTimeout(done, 5));
}

const modes: Readonly<Record<string, () => Promise<object>>> = {
  /** validate, strip, number, spool with fsync; nobody takes it. */
  async spool() {
    const rig = await startRig(folder, "down");
    await rig.fire(20_000);
    const times = await timed(() => rig.fire(events));
    const bytes = rig.spoolBytes();
    await rig.stop();
    return { ...times, bytesAnEvent: bytes / (events + 20_000) };
  },
  /** The same texts through plain appendFileSync, a call a group, no fsync. */
  async append() {
    const all = [...groups()];
    return timed(async () => {
      for (const group of all) appendFileSync(join(folder, "plain.jsonl"), `${group.join("\n")}\n`);
    });
  },
  /** The same texts into a table of SQLite: WAL, synchronous FULL, a transaction a group. */
  async sqlite() {
    const all = [...groups()];
    const db = new DatabaseSync(join(folder, "wal.db"));
    db.exec(
      "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE records (n INTEGER PRIMARY KEY, line TEXT)",
    );
    const insert = db.prepare("INSERT INTO records (line) VALUES (?)");
    const times = await timed(async () => {
      for (const group of all) {
        db.exec("BEGIN");
        for (const text of group) insert.run(text);
        db.exec("COMMIT");
      }
    });
    db.close();
    return times;
  },
  /** An outage: everything stays in the spool. */
  async outage() {
    const rig = await startRig(folder, "down");
    await rig.fire(events);
    const bytes = rig.spoolBytes();
    await rig.stop();
    return { bytes };
  },
  /** A start on what the outage left, up to the first look at the spool; then it drains. */
  async drain() {
    const begin = performance.now();
    const rig = await startRig(folder, "up");
    const openMs = performance.now() - begin;
    const lag = rig.lag();
    const times = await timed(() => drained(rig));
    const { bytes, messages, records } = rig.sent;
    await rig.stop();
    return { openMs, lag, ...times, bytesAnEvent: bytes / records, eventsAMessage: records / messages };
  },
};

const work = modes[mode];
if (!work)
  throw new RangeError(`There is no measurement "${mode}"; wanted is one of ${Object.keys(modes).join(", ")}.`);
process.stdout.write(`${JSON.stringify(await work())}\n`);
