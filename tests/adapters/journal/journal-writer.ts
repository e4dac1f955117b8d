import { createNodeFiles } from "../../../lib/adapters/journal/node-files.ts";
import { openJournal } from "../../../lib/adapters/journal/open.ts";
import { systemClock } from "../../../lib/base/clock.ts";
import { isHearthlineError } from "../../../lib/base/errors.ts";
import { silentLogger } from "../../../lib/base/log.ts";
import { stateEntry } from "../../support/relay-records.ts";

/**
 * A program for tests to kill: `journal-writer.ts FOLDER` appends for ever, three calls at a time, acknowledges half of it,
 * and prints a line `kept FIRST LAST` after each append that resolved, or `failed CODE` and ends.
 */
const [folder = ""] = process.argv.slice(2);
const say = (line: string) => void process.stdout.write(`${line}\n`);
const spool = await openJournal({
  files: createNodeFiles(folder),
  homeId: "home",
  log: silentLogger,
  clock: systemClock,
  newRelayId: () => "relay-writer",
  sinks: ["cloud"],
  maxBytes: 64 * 1_048_576,
});
say("open");
try {
  for (;;) {
    const calls = [1, 7, 20].map((count) =>
      spool.append(Array.from({ length: count }, (_, index) => stateEntry(`e${index}`, 300))),
    );
    const numbers = (await Promise.all(calls)).flat();
    say(`kept ${numbers[0]} ${numbers.at(-1)}`);
    if ((numbers[0] ?? 0) % 3 === 0) await spool.acknowledge("cloud", Math.floor((numbers[0] ?? 0) / 2));
  }
} catch (thrown) {
  say(`failed ${isHearthlineError(thrown) ? thrown.code : String(thrown)}`);
}
