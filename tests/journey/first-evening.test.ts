import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { newDataFolder, removeData, startStack, until } from "../support/stack.ts";

interface Jobs {
  readonly jobs: readonly { readonly kind: string; readonly status: string }[];
}

it("npm start brings the past of its home in, and looks at it", { timeout: 120_000 }, async () => {
  const dataFolder = newDataFolder();
  const stack = await startStack({ dataFolder, args: ["--days", "3", "--rate", "1"] });
  onTestFinished(async () => {
    await stack.stop();
    removeData(dataFolder);
  });
  await until(
    async () => stack.said(),
    (said) => /^past {6}.*( suggestions in |not brought in)/m.test(said),
    { deadlineMs: 90_000 },
  );
  expect(stack.said()).toMatch(
    /^past {6}[\d,]+ events, \d+ patterns, \d+ suggestions in \d+ s: http:\S+\/#suggestions$/m,
  );
  expect(existsSync(join(dataFolder, "past-brought"))).toBe(true);
  const { jobs } = await stack.get<Jobs>("/api/v1/jobs");
  expect(jobs.map(({ kind, status }) => [kind, status])).toContainEqual(["daily", "succeeded"]);
  const dayAgo = new Date(Date.now() - 2.5 * 86_400_000).toISOString();
  const { events } = await stack.get<{ events: readonly { source: string }[] }>(
    `/api/v1/events?order=asc&limit=5&to=${encodeURIComponent(dayAgo)}`,
  );
  expect(events.map(({ source }) => source)).toEqual(Array(5).fill("import"));
});
