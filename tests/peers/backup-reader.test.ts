import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { backUp, ITEMS } from "../support/backups.ts";
import { buildEvent, manyEvents } from "../support/events.ts";
import { describePeer } from "../support/peers.ts";
import { pythonWith } from "../support/pyarrow.ts";

/** The program as the documentation prints it. */
function documentedReader(): string {
  const document = readFileSync(join(import.meta.dirname, "../../docs/backup.md"), "utf8");
  const program = /```python\n(.*?)```/s.exec(document)?.[1];
  if (!program) throw new Error("docs/backup.md holds no reader in Python.");
  return program;
}

await describePeer(
  "the reader of docs/backup.md",
  () => pythonWith("zstandard", "0.25.0"),
  (python) => {
    it("reads every line of an open file, and refuses one that is cut or changed", async () => {
      const folder = mkdtempSync(join(tmpdir(), "hearthline-backup-reader-"));
      try {
        const odd = buildEvent({ atUs: -1, state: "\u0000\n\u{1f3e0}", attributes: { "é\u2028": [1e-320, null] } });
        const events = [odd, ...manyEvents(6_000)];
        const { bytes } = await backUp(events);
        const [program, file] = [join(folder, "reader.py"), join(folder, "home.backup")];
        // Said again as JSON, for us to compare; the rest is as it is printed.
        const wanted = 'print(section.rstrip(b"\\0").decode(), json.loads(line))';
        const printed = documentedReader();
        expect(printed).toContain(wanted);
        const inJson = 'print(json.dumps([section.rstrip(b"\\0").decode(), json.loads(line)]))';
        writeFileSync(program, printed.replace(wanted, inJson));
        const read = (content: Uint8Array): [string, Record<string, unknown>][] => {
          writeFileSync(file, content);
          const said = execFileSync(python, [program, file], { encoding: "utf8", stdio: "pipe", maxBuffer: 2 ** 28 });
          return said
            .trim()
            .split("\n")
            .map((line) => JSON.parse(line));
        };
        const lines = read(bytes);
        const of = (wantedSection: string) =>
          lines.flatMap(([section, value]) => (section === wantedSection ? [value] : []));
        expect(of("events").map((event) => ({ ...event, homeId: "home" }))).toEqual(events);
        expect(of("table").map(({ key }) => key)).toEqual(
          ITEMS.flatMap(({ isSecret, key }) => (isSecret ? [] : [key])),
        );
        expect([of("manifest"), of("end")].map(({ length }) => length)).toEqual([1, 1]);
        for (const wrong of [bytes.subarray(0, -1), Buffer.from(bytes).fill(1, 200, 201)])
          expect(() => read(wrong)).toThrow(/AssertionError/);
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    });
  },
);
