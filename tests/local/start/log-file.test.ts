import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { openLogFile } from "../../../local/start/log-file.ts";

it("keeps the newest lines in two files of bounded size, and goes on where it stopped", () => {
  const folder = mkdtempSync(join(tmpdir(), "hearthline-log-"));
  const file = join(folder, "logs", "part.log");
  for (let round = 0; round < 2; round++) {
    const log = openLogFile(file, 100);
    for (let line = 0; line < 10; line++) log.write(Buffer.from(`round ${round} line ${line} ......\n`));
    log.close();
  }
  expect(readdirSync(join(folder, "logs")).sort()).toEqual(["part.log", "part.log.1"]);
  const [old, newest] = [`${file}.1`, file].map((name) => readFileSync(name, "utf8"));
  expect((old ?? "").length).toBeLessThanOrEqual(100);
  expect(`${old}${newest}`).toMatch(/round 1 line 8 \.+\nround 1 line 9 \.+\n$/);
  rmSync(folder, { recursive: true });
});
