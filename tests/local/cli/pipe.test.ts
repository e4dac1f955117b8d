import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect, it } from "vitest";

const CLI = resolve(import.meta.dirname, "../../../local/cli.ts");

it("ends in silence when its reader has had enough", async () => {
  const events = Array.from({ length: 1_000 }, (_, n) => ({
    entity_id: `sensor.s${n}`,
    state: "x".repeat(200),
    kind: "change",
    last_updated: "2026-11-22T05:47:09.000000+00:00",
    local_time: "2026-11-22T06:47:09.000000+01:00",
  }));
  const server = createServer((_request, response) => {
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ events, next: "more" }));
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const folder = mkdtempSync(join(tmpdir(), "hearthline-pipe-"));
  try {
    const child = spawn(process.execPath, [CLI, "events", "list", "--limit", "20000", "--json"], {
      cwd: folder,
      env: {
        PATH: process.env.PATH,
        HEARTHLINE_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
        HEARTHLINE_TOKEN: "x",
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let said = "";
    child.stderr.on("data", (chunk) => (said += chunk));
    child.stdout.once("data", () => child.stdout.destroy());
    const code = await new Promise((done) => child.on("close", done));
    expect({ code, said }).toEqual({ code: 0, said: "" });
  } finally {
    server.close();
    rmSync(folder, { recursive: true, force: true });
  }
}, 30_000);
