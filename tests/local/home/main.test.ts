import { type ChildProcess, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { changesOf, signedIn, temporaryFolder } from "./support.ts";

const MAIN = new URL("../../../local/home/main.ts", import.meta.url).pathname;

interface Ready {
  ready: boolean;
  port: number;
  url: string;
  token: string;
}

async function started(args: readonly string[]): Promise<{ child: ChildProcess; ready: Ready }> {
  const child = fork(MAIN, [...args], { stdio: ["ignore", "pipe", "pipe", "ipc"], execArgv: [] });
  onTestFinished(() => void child.kill("SIGKILL"));
  const [ready] = (await once(child, "message")) as [Ready];
  return { child, ready };
}

describe("the home as a process", () => {
  it("says where it is, runs fast, ends at SIGTERM with close 1000, and goes on with the same token", async () => {
    const data = temporaryFolder();
    const { child, ready } = await started(["--data", data, "--days", "2", "--speed", "600", "--rate", "1"]);
    expect(ready).toMatchObject({ ready: true, url: `http://127.0.0.1:${ready.port}` });
    expect(readFileSync(join(data, "token"), "utf8").trim()).toBe(ready.token);
    expect(statSync(join(data, "token")).mode & 0o777).toBe(0o600);
    const client = await signedIn(ready);
    await client.command({ type: "subscribe_events", event_type: "state_changed" });
    await client.next((frame) => frame.event !== undefined && changesOf(client).length > 200);
    child.kill("SIGTERM");
    const [[code], closed] = await Promise.all([once(child, "exit"), client.closed]);
    expect([code, closed]).toEqual([0, 1000]);
    const again = await started(["--data", data, "--speed", "600", "--rate", "1"]);
    expect(again.ready.token).toBe(ready.token);
  });

  it("is killed and goes on later than everything it had sent, though its clock ran far ahead", async () => {
    const data = temporaryFolder();
    const { child, ready } = await started(["--data", data, "--speed", "3600", "--rate", "0.5"]);
    const client = await signedIn(ready);
    await client.command({ type: "subscribe_events", event_type: "state_changed" });
    await client.next((frame) => frame.event !== undefined && changesOf(client).length > 300);
    child.kill("SIGKILL");
    await client.closed;
    const before = changesOf(client).map((event) => event.time_fired);
    const again = await started(["--data", data, "--speed", "3600", "--rate", "0.5"]);
    const next = await signedIn(again.ready);
    await next.command({ type: "subscribe_events", event_type: "state_changed" });
    await next.next((frame) => frame.event !== undefined);
    const first = changesOf(next)[0]?.time_fired ?? "";
    expect(first > (before.at(-1) ?? "")).toBe(true);
    expect(before).toEqual(before.toSorted());
  });

  it("ends by itself when its parent lets go", async () => {
    const { child } = await started(["--data", temporaryFolder()]);
    child.disconnect();
    expect((await once(child, "exit"))[0]).toBe(0);
  });

  it("prints one line by hand, without the token", async () => {
    const data = temporaryFolder();
    const child = spawn(process.execPath, [MAIN, "--data", data, "--token", "given-token-of-twenty-and-more"]);
    onTestFinished(() => void child.kill("SIGKILL"));
    const [line] = (await once(child.stdout, "data")) as [Buffer];
    expect(JSON.parse(String(line))).toMatchObject({ ready: true, token_file: join(data, "token") });
    expect(String(line)).not.toContain("given-token");
    expect(readFileSync(join(data, "token"), "utf8")).toBe("given-token-of-twenty-and-more\n");
  });

  it.each([
    ["--sped", "3"],
    ["--speed", "fast"],
    ["--faults", "earthquake"],
    ["--version", "2019.1"],
  ])("refuses %s %s with exit code 2", async (...args) => {
    const child = spawn(process.execPath, [MAIN, "--data", temporaryFolder(), ...args]);
    const text: Buffer[] = [];
    child.stderr.on("data", (chunk: Buffer) => text.push(chunk));
    expect((await once(child, "close"))[0]).toBe(2);
    expect(Buffer.concat(text).toString()).toContain("usage:");
  });
});
