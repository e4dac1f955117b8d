import { parseConflictRules } from "../../devices/index.ts";
import { type DeviceMemory, readDeviceMemory } from "../devices/memory.ts";
import type { SyncPorts, SyncRun } from "../devices/run.ts";
import { syncDevices } from "../devices/sync.ts";
import type { Check, CheckContext, CheckOutcome, CheckResult, OldDevices, State } from "../ports.ts";

/** A complete run at least so often, whatever did not change. */
const COMPLETE_US = 86_400_000_000;
const EXAMPLES = 3;

/** While both run; during a rollback nothing is written to OLD's list. */
const STATES: ReadonlySet<State> = new Set(["shadow", "ramp", "stabilise", "final_validation", "rampdown"]);

export interface DevicesCheckDeps extends Omit<SyncPorts, "old"> {
  /** undefined: the plan names no list. */
  readonly old: OldDevices | undefined;
}

/**
 * `devices`: OLD's list and NEW's index are brought in step; `devices.capabilities`: NEW knows what OLD says that devices can do. Each step looks at what has changed on either side; a new stage, and a day
 * later at the latest, everything is done again. Fails when OLD took something and gives back something else; what OLD refuses, what only one side has and what is ambiguous is told, and holds nothing.
 */
export const createDevicesCheck = ({ old, ...ports }: DevicesCheckDeps): Check => ({
  name: "devices",
  states: STATES,
  run: async (context) => {
    if (old) return runSync(context, { ...ports, old });
    const explanation = "The plan names no list of devices beside OLD's events: there is nothing to keep in step.";
    return { results: [{ name: "devices", verdict: "pass", sampleSize: 0, explanation }] };
  },
});

async function runSync({ migration, memory, nowUs, signal }: CheckContext, ports: SyncPorts): Promise<CheckOutcome> {
  const before = readDeviceMemory(memory);
  const isComplete = before.epoch !== migration.epoch || nowUs - before.completeAtUs >= COMPLETE_US;
  const rules = parseConflictRules(migration.plan.devices.strategy);
  const { run, memory: after } = await syncDevices(migration.homeId, ports, {
    rules,
    memory: before,
    isComplete,
    signal,
  });
  if (run.isUnchanged) return { results: before.results };
  const results = [deviceResult(run, after), capabilityResult(run)];
  // What a run began that had not room for all goes on as the continuous one.
  const completed = isComplete ? { epoch: migration.epoch, completeAtUs: nowUs } : {};
  return { results, memory: { ...after, ...completed, results } };
}

function deviceResult(run: SyncRun, { settledSeconds, unkept }: DeviceMemory): CheckResult {
  const { match, refused, left, conflicts } = run;
  const { pairs, onlyOld, onlyNew, ambiguous } = match;
  const altered = refused.filter(({ isKept }) => !isKept);
  const open = conflicts.found.filter(({ status }) => status === "open").length;
  const apart = refused.length + left + ambiguous.length;
  const all = pairs.length + onlyOld.length + onlyNew.length + ambiguous.length;
  const operations = conflicts.found.reduce((sum, { cost }) => sum + cost.operations, 0);
  const parts = [
    `${pairs.length} devices are in both lists`,
    `${run.created} were created and ${run.updated} changed in OLD's`,
    `${run.changed.inOld} had changed in OLD's and ${run.changed.inNew} in NEW's`,
    ...(settledSeconds === undefined ? [] : [`the last difference was settled in ${settledSeconds.toFixed(1)} s`]),
    `${conflicts.found.length} conflicts (${conflicts.added} new, ${open} wait for a person, ${operations} operations${conflicts.dropped > 0 ? `, ${conflicts.dropped} more have no room` : ""})`,
    ...(run.keptInOld > 0 ? [`${run.keptInOld} values stay that only OLD has`] : []),
    ...(left > 0 ? [`${left} rows are still to be written`] : []),
    ...told(
      "only OLD knows",
      onlyOld.map(({ id }) => id),
    ),
    ...told(
      "OLD refuses",
      refused.filter(({ isKept }) => isKept).map(({ id, reason }) => `${id}: ${reason}`),
    ),
    ...told(
      "OLD keeps otherwise",
      altered.map(({ id }) => id),
    ),
    ...told(
      "ambiguous",
      ambiguous.map(({ oldIds, deviceIds, reason }) => `${[...oldIds, ...deviceIds].join(" / ")}: ${reason}`),
    ),
    ...(match.repeated > 0 ? [`${match.repeated} rows of OLD say what another says`] : []),
    ...(unkept.length > 0 ? [`OLD has no place for ${unkept.join(", ")}`] : []),
  ];
  return {
    name: "devices",
    verdict: altered.length > 0 ? "fail" : left > 0 ? "inconclusive" : "pass",
    observed: all === 0 ? 100 : Math.max(0, Math.round((1 - apart / all) * 10_000) / 100),
    sampleSize: all,
    explanation: `${parts.join("; ")}.`.slice(0, 1_000),
    ...((refused.length > 0 || onlyOld.length > 0 || ambiguous.length > 0 || open > 0) && { isAlert: true }),
  };
}

const told = (title: string, names: readonly string[]): string[] =>
  names.length === 0
    ? []
    : [`${title}: ${names.length} (${names.slice(0, EXAMPLES).join(", ")}${names.length > EXAMPLES ? ", ..." : ""})`];

function capabilityResult({ parity }: SyncRun): CheckResult {
  const { devices, said, covered, missing } = parity;
  const examples = missing.map(({ deviceId, capability }) => `${capability} of ${deviceId}`);
  return {
    name: "devices.capabilities",
    verdict: "pass",
    observed: said === 0 ? 100 : Math.round((covered / said) * 10_000) / 100,
    sampleSize: said,
    explanation:
      said === 0
        ? "OLD's list says of no device what it can do."
        : `Of ${said} abilities that OLD names of ${devices} devices NEW has ${covered}${missing.length > 0 ? `; ${told("not", examples).join("")}` : ""}.`,
    ...(covered < said && { isAlert: true }),
  };
}
