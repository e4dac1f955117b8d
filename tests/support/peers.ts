import { execFile } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { describe, it } from "vitest";

/** Real servers of other people, started by scripts that stand beside the project (or where HEARTHLINE_PEER_SCRIPTS says). */
const SCRIPTS = process.env.HEARTHLINE_PEER_SCRIPTS ?? resolve(import.meta.dirname, "../../../shared/peers");

/** An installation can take minutes. */
const INSTALL_TIMEOUT_MS = 30 * 60_000;

/** The line that a peer prints when it answers. Some print more: a token, a user, a password. */
export type PeerLine = Readonly<Record<string, unknown>> & {
  readonly url: string;
  readonly pid: number;
  readonly version: string;
  readonly dir: string;
};

/** The peer cannot run on this machine; the message says why. */
export class PeerUnavailable extends Error {}

/** @throws PeerUnavailable when there is no such script */
export function peerScript(name: string): string {
  const script = join(SCRIPTS, name);
  if (!existsSync(script))
    throw new PeerUnavailable(`no script "${script}"; HEARTHLINE_PEER_SCRIPTS names the folder of the peers' scripts`);
  return script;
}

/** Runs a script or program to its end. @throws Error with the last lines of its standard error */
export function run(file: string, args: readonly string[]): Promise<string> {
  return new Promise((settle, reject) => {
    const options = { timeout: INSTALL_TIMEOUT_MS, maxBuffer: 16 * 1024 * 1024 };
    execFile(file, args, options, (error, stdout, stderr) => {
      if (!error) return settle(stdout);
      const said = `${stderr}\n${stdout}`.trim().split("\n").slice(-3).join(" | ");
      reject(new Error(`${file} ${args.join(" ")}: ${said || error.message}`));
    });
  });
}

/** Runs what a peer needs once, such as `["--install-only"]`. @throws PeerUnavailable when it fails */
export async function installPeer(name: string, args: readonly string[]): Promise<void> {
  const script = peerScript(`${name}/start.sh`);
  try {
    await run(script, args);
  } catch (thrown) {
    throw new PeerUnavailable((thrown as Error).message);
  }
}

/** Installs if needed, starts, waits for the first answer. The caller ends it with `stopPeer(line.dir)`. @throws PeerUnavailable */
export async function startPeer(name: string, args: readonly string[] = []): Promise<PeerLine> {
  const script = peerScript(`${name}/start.sh`);
  try {
    const stdout = await run(script, args);
    return JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as PeerLine;
  } catch (thrown) {
    throw new PeerUnavailable((thrown as Error).message);
  }
}

/** Ends the peer that was started in that folder, cleanly; `--kill` (Home Assistant only) is the power cut. */
export async function stopPeer(dir: string, args: readonly string[] = []): Promise<void> {
  // Home Assistant's scripts keep their process number in `pid`, all others in `peer.pid`.
  if (existsSync(join(dir, "pid"))) await run(peerScript("home-assistant/stop.sh"), ["--dir", dir, ...args]);
  else await run(peerScript("stop.sh"), [dir]);
}

/** A folder for a peer's data. */
export async function peerFolder(name: string) {
  const dir = await mkdtemp(join(tmpdir(), `hearthline-${name}-`));
  return { dir, remove: () => rm(dir, { recursive: true, force: true }) };
}

/** A port on which nothing listens at this moment. */
export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}

/**
 * A suite against a peer. Where the peer cannot be installed here, one skipped test takes its place whose name says why (`npm run test:peers` prints it);
 * a peer that runs must pass. To be awaited at the top of the test file.
 * @param prepare installs or starts; may throw PeerUnavailable
 */
export async function describePeer<T>(
  title: string,
  prepare: () => Promise<T>,
  suite: (prepared: T) => void,
): Promise<void> {
  let prepared: T;
  try {
    prepared = await prepare();
  } catch (thrown) {
    if (!(thrown instanceof PeerUnavailable)) throw thrown;
    describe(title, () => it.skip(`cannot run here: ${thrown.message}`, () => {}));
    return;
  }
  suite(prepared);
}
