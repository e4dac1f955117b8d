import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../../lib/base/clock.ts";
import { createTestApi, serveApi, type TestApi, tokenText } from "../support/api.ts";
import { furnish } from "../support/api-requests.ts";
import { describePeer, PeerUnavailable, peerScript, run } from "../support/peers.ts";

async function install(): Promise<{ executable: string; version: string }> {
  const script = peerScript("schemathesis/install.sh");
  try {
    return JSON.parse((await run(script, [])).trim().split("\n").at(-1) ?? "") as {
      executable: string;
      version: string;
    };
  } catch (thrown) {
    throw new PeerUnavailable((thrown as Error).message);
  }
}

/** What it ends with and says; a finding is no error of the program. */
const fuzz = (executable: string, args: readonly string[], cwd: string) =>
  new Promise<{ code: number; said: string }>((resolve) => {
    const child = execFile(
      executable,
      args,
      { cwd, maxBuffer: 64 * 1024 * 1024, env: { ...process.env, NO_COLOR: "1" } },
      (_error, stdout, stderr) => resolve({ code: child.exitCode ?? -1, said: `${stdout}\n${stderr}` }),
    );
  });

await describePeer("the API under schemathesis", install, ({ executable, version }) =>
  describe(`the API under schemathesis ${version}`, () => {
    let api: TestApi;
    let served: Awaited<ReturnType<typeof serveApi>>;
    let folder: string;
    let answered: Map<number, number>;

    beforeAll(async () => {
      answered = new Map();
      api = await createTestApi({ clock: systemClock });
      await furnish(api);
      await api.addToken(tokenText("home", "d"), "home", ["admin"]);
      served = await serveApi({
        fetchApi: async (request) => {
          const response = await api.fetchApi(request);
          answered.set(response.status, (answered.get(response.status) ?? 0) + 1);
          return response;
        },
      });
      folder = await mkdtemp(join(tmpdir(), "hearthline-schemathesis-"));
    });
    afterAll(async () => {
      await served.close();
      await rm(folder, { recursive: true, force: true });
    });

    it("finds no server error and no answer that the document does not describe", async () => {
      const args = [
        "run",
        `${served.url}/openapi.json`,
        "--url",
        served.url,
        "--header",
        `Authorization: Bearer ${tokenText("home", "d")}`,
      ];
      const checks =
        "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,response_headers_conformance,negative_data_rejection,unsupported_method,ignored_auth";
      const { code, said } = await fuzz(
        executable,
        [
          ...args,
          "--checks",
          checks,
          "--max-examples",
          "60",
          "--seed",
          process.env.HEARTHLINE_TEST_SEED ?? "1",
          "--workers",
          "1",
          "--generation-database",
          "none",
          "--suppress-health-check",
          "all",
        ],
        folder,
      );
      expect(code, said.slice(-6_000)).toBe(0);
      // It asked, and was answered with more than refusals.
      expect(answered.get(200) ?? 0).toBeGreaterThan(100);
      expect(answered.get(202) ?? 0).toBeGreaterThan(10);
      expect(answered.get(400) ?? 0).toBeGreaterThan(100);
      expect([...answered.keys()].filter((status) => status >= 500)).toEqual([]);
    }, 300_000);
  }),
);
