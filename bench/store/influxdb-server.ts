import { execFile } from "node:child_process";
import { resolve } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

export interface InfluxdbServer {
  readonly url: string;
  readonly dir: string;
  readonly pid: number;
  stop(): Promise<void>;
}

/** A real server by the scripts of HEARTHLINE_PEER_SCRIPTS, on a free port, with its data in `folder`. @throws Error where there is none */
export async function startInfluxdb(folder: string): Promise<InfluxdbServer> {
  const scripts = process.env.HEARTHLINE_PEER_SCRIPTS ?? resolve(import.meta.dirname, "../../../shared/peers");
  const { stdout } = await run(resolve(scripts, "influxdb/start.sh"), ["--dir", folder]);
  const line = JSON.parse(stdout.trim().split("\n").at(-1) ?? "{}") as Omit<InfluxdbServer, "stop">;
  return { ...line, stop: async () => void (await run(resolve(scripts, "stop.sh"), [line.dir])) };
}
