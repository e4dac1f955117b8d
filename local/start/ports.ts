import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";

/** A port on loopback that is free now. Of several asked for at once, all differ. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(Array.from({ length: count }, () => listen(0)));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** The port that was drawn for this folder once, while it is free: the same address after a restart, for who has written it down. */
export async function keptPort(folder: string): Promise<number> {
  const file = join(folder, "port");
  const kept = portIn(file);
  if (kept !== undefined && (await portProblem(kept)) === undefined) return kept;
  const [port = 0] = await freePorts(1);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeFileSync(file, `${port}\n`);
  return port;
}

function portIn(file: string): number | undefined {
  try {
    const port = Number(readFileSync(file, "utf8"));
    return Number.isInteger(port) && port > 0 && port < 65_536 ? port : undefined;
  } catch {
    return undefined;
  }
}

/** Why this port cannot be used, or undefined. */
export async function portProblem(port: number): Promise<string | undefined> {
  try {
    const server = await listen(port);
    await new Promise((resolve) => server.close(resolve));
    return undefined;
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    if (code === "EADDRINUSE") return "another program listens there";
    if (code === "EACCES") return "this user may not listen there";
    return String(code);
  }
}

function listen(port: number): Promise<ReturnType<typeof createServer>> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => resolve(server));
  });
}
