import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/**
 * - `open`: bytes pass.
 * - `cut`: every connection is reset, and no new one is taken.
 * - `half-open`: nothing passes any more on connections that are there, and nobody says so; new ones are taken and never answered.
 * - `slow`: the client gets a few bytes at a time, so that its server has a slow reader.
 */
export type LineState = "open" | "cut" | "half-open" | "slow";

/** A line between a client and a server on loopback, that can be broken. */
export interface Line {
  readonly port: number;
  /** `open` after `half-open` resets what was half open: at some time somebody says so. */
  set(state: LineState): void;
  close(): Promise<void>;
}

const SLOW_BYTES = 16_384;
const SLOW_EVERY_MS = 50;

export async function openLine(serverPort: () => number): Promise<Line> {
  let state: LineState = "open";
  const dead = new Set<Socket>();
  const all = new Set<Socket>();
  const keep = (socket: Socket) => {
    all.add(socket);
    socket.setNoDelay(true);
    socket.on("error", () => {});
    socket.on("close", () => {
      all.delete(socket);
      dead.delete(socket);
    });
  };
  const server = createServer({ allowHalfOpen: false }, (client) => {
    keep(client);
    if (state === "cut") return client.resetAndDestroy();
    if (state === "half-open") return void dead.add(client);
    const far = connect(serverPort(), "127.0.0.1");
    keep(far);
    const isDead = () => dead.has(client) || dead.has(far);
    pass(client, far, { isDead, isSlow: () => false });
    pass(far, client, { isDead, isSlow: () => state === "slow" });
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return {
    port: (server.address() as AddressInfo).port,
    set(wanted) {
      state = wanted;
      if (wanted === "half-open") for (const socket of all) dead.add(socket);
      else for (const socket of wanted === "cut" ? all : dead) socket.resetAndDestroy();
    },
    close() {
      for (const socket of all) socket.destroy();
      return new Promise((done) => server.close(() => done()));
    },
  };
}

interface Ways {
  readonly isDead: () => boolean;
  readonly isSlow: () => boolean;
}

/** One direction. The end of one side is the end of the other, except on a line that is half open. */
function pass(from: Socket, to: Socket, { isDead, isSlow }: Ways): void {
  from.on("data", (chunk: Buffer) => {
    if (isDead()) return;
    if (!isSlow()) return void (to.write(chunk) || hold(from, to));
    from.pause();
    for (let at = 0; at < chunk.length; at += SLOW_BYTES) to.write(chunk.subarray(at, at + SLOW_BYTES));
    setTimeout(() => from.resume(), (SLOW_EVERY_MS * chunk.length) / SLOW_BYTES);
  });
  from.on("close", () => !isDead() && to.destroy());
  from.on("end", () => !isDead() && to.end());
}

function hold(from: Socket, to: Socket): void {
  from.pause();
  const go = () => {
    to.off("drain", go);
    from.resume();
  };
  to.on("drain", go);
}
