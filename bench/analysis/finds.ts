import { DETECTORS } from "../../lib/analysis/detectors/all.ts";
import { readHistory, readHomeDays } from "../../lib/analysis/patterns/history.ts";
import { look } from "../../lib/analysis/patterns/look.ts";
import { createEntityNames } from "../../lib/analysis/patterns/renames.ts";
import { type Figures, median, progress } from "../support/report.ts";
import { HOME } from "./homes.ts";
import { createKept, readKept } from "./kept.ts";
import { rssPeakMb, Stopwatch } from "./measure.ts";
import { readInfo, type Setting } from "./setting.ts";

const RUNS = 3;

interface Run {
  /** Aggregates read and unpacked. */
  readonly read: Stopwatch;
  readonly merge: Stopwatch;
  readonly look: Stopwatch;
  readonly byKind: Map<string, Stopwatch>;
  found: number;
  holding: number;
}

/** What all detectors find in 90 days of aggregates, each asked as often as the night asks it; and the sum of these days. */
export async function measureFinds(setting: Setting): Promise<Figures> {
  const { days, entities } = readInfo(setting);
  const names = createEntityNames([], new Set(entities.map(([entityId]) => entityId)));
  const aggregates = createKept(readKept(setting.keptPath));
  const at = { aggregates, homeId: HOME, date: days.at(-1)?.date ?? "", names };
  const before = rssPeakMb();
  const runs: Run[] = [];
  for (let index = 0; index < RUNS; index++) {
    const stopwatch = () => new Stopwatch();
    const run: Run = {
      read: stopwatch(),
      merge: stopwatch(),
      look: stopwatch(),
      byKind: new Map(),
      found: 0,
      holding: 0,
    };
    const end = run.read.begin();
    const homeDays = await readHomeDays(at);
    end();
    for (const detector of DETECTORS) {
      const own = new Stopwatch();
      run.byKind.set(detector.kind, own);
      const endRead = run.read.begin();
      const { history } = await readHistory(detector, homeDays, at);
      endRead();
      run.merge.time(() => detector.merge(history.days.map(({ rows }) => rows)));
      const { found, holding } = run.look.time(() => own.time(() => look(detector, history)));
      run.found += found.length;
      run.holding += holding.length;
    }
    runs.push(run);
    progress(`All detectors were asked: ${run.found} found, ${run.holding} of them hold`);
  }
  const of = (pick: (run: Run) => number): number => median(runs.map(pick));
  const [first] = runs;
  return {
    finds_days: days.length,
    found: first?.found ?? 0,
    holding: first?.holding ?? 0,
    merge_and_finds_ms: of(({ merge, look }) => merge.wallMs + look.wallMs),
    merge_and_finds_cpu_ms: of(({ merge, look }) => merge.cpuMs + look.cpuMs),
    first_merge_and_finds_ms: first ? first.merge.wallMs + first.look.wallMs : Number.NaN,
    merge_ms: of(({ merge }) => merge.wallMs),
    unpacking_ms: of(({ read }) => read.wallMs),
    unpacking_cpu_ms: of(({ read }) => read.cpuMs),
    ...Object.fromEntries(
      DETECTORS.map(({ kind }) => [
        `find_${kind.replaceAll("-", "_")}_ms`,
        of(({ byKind }) => byKind.get(kind)?.wallMs ?? 0),
      ]),
    ),
    finds_rss_before_mb: before,
    finds_rss_peak_mb: rssPeakMb(),
  };
}
