import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";

/**
 * What becomes of one request.
 * - `pass`: on to the server, its answer back.
 * - `answer`: this answer; the server sees nothing.
 * - `lose`: on to the server, and its answer is thrown away with the connection.
 * - `reset`: the connection ends; the server sees nothing.
 */
export type Fault =
  | { readonly how: "pass" | "lose" | "reset"; readonly delayMs?: number }
  | { readonly how: "answer"; readonly status: number; readonly body: string; readonly delayMs?: number };

export interface FaultProxy {
  readonly url: string;
  /** Asked for each request, by its headers and body. */
  decide: (request: { readonly headers: IncomingHttpHeaders; readonly body: string }) => Fault;
  /** Requests that came, by what became of them. */
  readonly counts: Map<string, number>;
  stop(): Promise<void>;
}

/** An HTTP proxy on loopback before a real server: its faults are chosen request by request. */
export async function startFaultProxy(target: string): Promise<FaultProxy> {
  const proxy: Omit<FaultProxy, "url" | "stop"> = { decide: () => ({ how: "pass" }), counts: new Map() };
  const server = createServer(async (request, response) => {
    try {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const body = Buffer.concat(chunks);
      const fault = proxy.decide({ headers: request.headers, body: body.toString() });
      proxy.counts.set(fault.how, (proxy.counts.get(fault.how) ?? 0) + 1);
      if (fault.delayMs) await new Promise((done) => setTimeout(done, fault.delayMs));
      if (fault.how === "reset") return void request.socket.destroy();
      if (fault.how === "answer") return void response.writeHead(fault.status).end(fault.body);
      const { host: _, connection: __, "content-length": ___, ...headers } = request.headers;
      const answer = await fetch(`${target}${request.url ?? ""}`, {
        method: request.method ?? "POST",
        headers: headers as Record<string, string>,
        body,
      });
      const said = Buffer.from(await answer.arrayBuffer());
      if (fault.how === "lose") return void request.socket.destroy();
      response.writeHead(answer.status, { "content-type": answer.headers.get("content-type") ?? "" }).end(said);
    } catch {
      // The server is away: so is the proxy.
      request.socket.destroy();
    }
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return Object.assign(proxy, {
    url,
    stop: () =>
      new Promise<void>((done) => {
        server.closeAllConnections();
        server.close(() => done());
      }),
  });
}
