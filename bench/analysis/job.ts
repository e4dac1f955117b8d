import { createDynamodbAggregateStore } from "../../lib/adapters/dynamodb/aggregates.ts";
import { createDynamodbDeviceIndex } from "../../lib/adapters/dynamodb/device-index.ts";
import { createDynamodbHomeDirectory } from "../../lib/adapters/dynamodb/homes.ts";
import { createDynamodbJobStore } from "../../lib/adapters/dynamodb/jobs.ts";
import { type Job, newJob } from "../../lib/analysis/index.ts";
import type { Clock } from "../../lib/base/clock.ts";
import { createLogger } from "../../lib/base/log.ts";
import { seededRandom } from "../../lib/base/random.ts";
import type { Device, Entity } from "../../lib/devices/index.ts";
import { createAnalyze } from "../../lib/wiring/analyze.ts";
import { type Cloud, createCloud } from "../../lib/wiring/aws.ts";
import { readConfig } from "../../lib/wiring/config.ts";
import { lambdaContext, wallClock } from "../../tests/support/pipeline-functions.ts";
import { provisionQueues, provisionTable } from "../../tests/support/provision.ts";
import { type Figures, median, progress } from "../support/report.ts";
import { HOME } from "./homes.ts";
import { aggregateOf, readKept } from "./kept.ts";
import type { DayInfo } from "./learn.ts";
import { rssPeakMb, timed } from "./measure.ts";
import { type Info, readInfo, type Setting } from "./setting.ts";

const RUNS = 3;
/** When the night's job comes: an hour after its day has ended. */
const LATER_MS = 3_600_000;
/** More calls than these mean that a job never ends. */
const CALLS_MAX = 20;

interface Night {
  readonly cloud: Cloud;
  readonly clock: Clock;
  readonly env: Record<string, string>;
  readonly date: string;
}

function nightOf({ emulators, table, storePath, full }: Setting, { date, toUs }: DayInfo): Night {
  const env = {
    AWS_ENDPOINT_URL: emulators.queues ?? "",
    AWS_ENDPOINT_URL_DYNAMODB: emulators.tables ?? "",
    HEARTHLINE_TABLE: table,
    HEARTHLINE_STORE: "sqlite",
    HEARTHLINE_SQLITE_PATH: storePath,
    HEARTHLINE_RAW_DAYS: String(full),
    HEARTHLINE_LOG_LEVEL: "error",
  };
  const clock = wallClock(toUs / 1000 + LATER_MS);
  return { cloud: createCloud(readConfig(env), { clock, env, random: seededRandom(7) }), clock, env, date };
}

/** The table as a home of so many days has it before its last night: its devices, what earlier days taught, and the job of the night before, which reads all raw days. */
export async function fill(setting: Setting): Promise<Figures> {
  const info = readInfo(setting);
  const night = nightOf(setting, info.days.at(-2) as DayInfo);
  const { cloud } = night;
  await provisionTable(cloud.dynamodb, setting.table, cloud.clock);
  const analysis = `${cloud.config.HEARTHLINE_QUEUE_PREFIX}-analysis`;
  await provisionQueues(cloud.sqs, [{ name: analysis, visibilitySeconds: 900 }]);
  const home = { homeId: HOME, name: "Home", timeZone: "Europe/Amsterdam", createdAt: "2025-01-01T00:00:00.000Z" };
  await createDynamodbHomeDirectory(cloud.table).add({ ...home, revision: 0 }, { id: "k", secret: Buffer.alloc(32) });
  await addDevices(cloud, info);
  const first = info.days.at(-setting.full)?.date ?? "";
  const aggregates = createDynamodbAggregateStore(cloud.table);
  const before = readKept(setting.keptPath).filter(({ date, layer }) => date < first && layer === "daily");
  for (const one of before) await aggregates.put(aggregateOf(one));
  progress(`${before.length} aggregates are in the table`);
  const { value: job, watch } = await timed(() => runNight(night));
  return { ...watch.figures("first_night"), ...phaseFigures("first_night", job) };
}

async function addDevices({ table, clock }: Cloud, { entities }: Info): Promise<void> {
  const index = createDynamodbDeviceIndex(table);
  const revision = clock.nowMs() - 86_400_000;
  const whole = { revision, part: 1, parts: 1 };
  const known = new Map(entities.flatMap(([, id, areaId]) => (id === undefined ? [] : [[id, areaId] as const])));
  const labels: string[] = [];
  const devices = [...known].map(
    ([deviceId, areaId]): Device => ({
      deviceId,
      name: `Device ${deviceId}`,
      labels,
      identifiers: [],
      connections: [],
      ...(areaId && { areaId }),
    }),
  );
  const rows = entities.map(
    ([entityId, deviceId, areaId]): Entity => ({
      entityId,
      labels,
      ...(deviceId && { deviceId }),
      ...(areaId && { areaId }),
    }),
  );
  await index.applyRegistry(HOME, { ...whole, registry: "devices", rows: devices });
  await index.applyRegistry(HOME, { ...whole, registry: "entities", rows: rows });
}

/** The job of a night, with all the messages that it takes. */
async function runNight({ cloud, clock, env, date }: Night): Promise<Job> {
  const jobs = createDynamodbJobStore(cloud.table);
  const { job } = await jobs.create(newJob(HOME, { kind: "daily", date }, clock.nowMs()));
  await jobs.requeue(HOME, job.id, new Date(clock.nowMs()).toISOString());
  const analyze = createAnalyze(env, { clock, random: cloud.random, log: createLogger({ clock, write: () => {} }) });
  const body = JSON.stringify({ home_id: HOME, job_id: job.id });
  const event = { Records: [{ messageId: "m", body }] } as unknown as Parameters<typeof analyze>[0];
  const context = { ...lambdaContext, getRemainingTimeInMillis: () => 900_000 };
  for (let call = 0; call < CALLS_MAX; call++) {
    await analyze(event, context);
    const after = await jobs.get(HOME, job.id);
    if (after?.finishedAt !== undefined) return after;
  }
  throw new Error(`The job of "${date}" has not ended after ${CALLS_MAX} calls.`);
}

function phaseFigures(name: string, job: Job): Figures {
  for (const { name: phase, status, error } of job.phases)
    if (status !== "succeeded") throw new Error(`The phase "${phase}" of "${job.date}" is "${status}": ${error}`);
  return Object.fromEntries(job.phases.map((phase) => [`${name}_${phase.name}_ms`, phase.durationMs]));
}

/** The whole job of the last night in a fresh process, and the median of this and more runs of it. */
export async function measureJob(setting: Setting): Promise<Figures> {
  const night = nightOf(setting, readInfo(setting).days.at(-1) as DayInfo);
  const before = rssPeakMb();
  const runs: Figures[] = [];
  let peak = 0;
  for (let run = 0; run < RUNS; run++) {
    const { value: job, watch } = await timed(() => runNight(night));
    runs.push({ ...watch.figures("job"), ...phaseFigures("job", job) });
    peak ||= rssPeakMb();
    progress(`The job of ${night.date} took ${Math.round(watch.wallMs)} ms`);
  }
  const [first = {}] = runs;
  const all = Object.keys(first).map((name) => [name, median(runs.map((run) => run[name] ?? Number.NaN))]);
  return {
    ...Object.fromEntries(all),
    first_job_ms: first.job_ms ?? Number.NaN,
    first_job_cpu_ms: first.job_cpu_ms ?? Number.NaN,
    job_rss_before_mb: before,
    job_rss_peak_mb: peak,
  };
}
