import type { Command } from "commander";
import { messageOf } from "../../lib/base/errors.ts";
import {
  addIdOption,
  findMigration,
  hasEnded,
  type MetricsAnswer,
  MIGRATIONS,
  type MigrationAnswer,
} from "./migrate-client.ts";
import { secondsOf } from "./migrate-plan.ts";
import { drawing, screenLines } from "./migrate-screen.ts";
import { migrationLine } from "./migrate-text.ts";
import { CommandFailure } from "./outcome.ts";
import type { Tools } from "./tools.ts";

/** So many looks in a row may fail: a server that starts anew is waited for. */
const TROUBLES_MAX = 30;

/** `migrate watch` */
export function addWatchCommand(migrate: Command, tools: Tools): void {
  addIdOption(migrate.command("watch"))
    .description("a live screen until it has ended; 0 when it is complete, 1 when it was taken back")
    .option("--every <time>", "how often to look", secondsOf, 2)
    .action(({ id, every }: { id?: string; every: number }) => watch(tools, id, Math.max(1, every) * 1000));
}

async function watch(tools: Tools, id: string | undefined, everyMs: number): Promise<void> {
  const { api, clock, signal, output } = tools();
  const show = createShow(tools);
  let seen = await findMigration(api, id);
  const path = `${MIGRATIONS}/${encodeURIComponent(seen.id)}`;
  let metrics: MetricsAnswer | undefined;
  for (let troubles = 0; ; ) {
    let trouble: string | undefined;
    try {
      seen = await api.get<MigrationAnswer>(path);
      if (output.screen) metrics = await api.get<MetricsAnswer>(`${path}/metrics`);
      troubles = 0;
    } catch (thrown) {
      if (!(thrown instanceof CommandFailure && thrown.exitCode === 3) || ++troubles > TROUBLES_MAX) throw thrown;
      trouble = messageOf(thrown);
    }
    show(seen, metrics, trouble);
    if (hasEnded(seen)) break;
    await clock.sleep(everyMs, signal);
    if (signal.aborted) return;
  }
  if (seen.state === "rolled_back") throw new CommandFailure(1, "The migration was taken back.");
}

type Show = (migration: MigrationAnswer, metrics: MetricsAnswer | undefined, trouble: string | undefined) => void;

/** On a terminal the screen, drawn anew; elsewhere a line for each change. */
function createShow(tools: Tools): Show {
  const { output, clock } = tools();
  const { screen } = output;
  let last = "";
  if (!screen)
    return (migration, _metrics, trouble) => {
      const { state, stage_percent, verdict, epoch } = migration;
      const now = JSON.stringify([state, stage_percent, verdict, epoch]);
      if (trouble !== undefined) output.remark(trouble);
      else if (now !== last) output.line(migration, () => `${timeText(clock.nowMs())}  ${migrationLine(migration)}`);
      if (trouble === undefined) last = now;
    };
  return (migration, metrics, trouble) => {
    const time = timeText(clock.nowMs());
    const lines = screenLines({ migration, metrics, time, trouble }, screen);
    screen.write(drawing(lines, { isFirst: last === "", isColoured: screen.isColoured }));
    last = time;
  };
}

const timeText = (atMs: number): string => new Date(atMs).toTimeString().slice(0, 8);
