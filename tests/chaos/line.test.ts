import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { eventually } from "../support/process.ts";
import { type Line, openLine } from "./line.ts";

describe("a line that can be broken", () => {
  let server: Server;
  let line: Line;
  const atServer: Socket[] = [];
  const atClient: Socket[] = [];
  beforeEach(async () => {
    server = createServer((socket) => {
      atServer.push(socket);
      socket.on("error", () => {});
      socket.on("data", (chunk) => socket.write(`echo ${chunk}`));
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    line = await openLine(() => (server.address() as AddressInfo).port);
  });
  afterEach(async () => {
    for (const socket of [...atServer.splice(0), ...atClient.splice(0)]) socket.destroy();
    await line.close();
    server.close();
  });

  function client() {
    const socket = connect(line.port, "127.0.0.1");
    atClient.push(socket);
    const heard = { text: "", error: "" };
    socket.on("data", (chunk) => {
      heard.text += chunk.toString();
    });
    socket.on("error", (error: NodeJS.ErrnoException) => {
      heard.error = String(error.code);
    });
    return { socket, heard };
  }
  const talking = async () => {
    const one = client();
    one.socket.write("a");
    await eventually("the echo", () => one.heard.text === "echo a");
    return one;
  };

  it("passes both ways while it is open", async () => {
    expect((await talking()).heard).toEqual({ text: "echo a", error: "" });
  });

  it("when cut resets what is there, at both ends, and what comes", async () => {
    const one = await talking();
    line.set("cut");
    await eventually("the reset", () => one.heard.error);
    await eventually("the server's end", () => atServer[0]?.destroyed);
    const late = client();
    await eventually("the refusal", () => late.heard.error);
    line.set("open");
    await talking();
  });

  it("when half open says nothing and ends nothing; afterwards it is reset", async () => {
    const one = await talking();
    line.set("half-open");
    one.socket.write("b");
    const late = client();
    await once(late.socket, "connect");
    late.socket.write("c");
    // Another line shows that time enough has passed for an echo.
    const other = await openLine(() => (server.address() as AddressInfo).port);
    const witness = connect(other.port, "127.0.0.1");
    witness.write("d");
    await once(witness, "data");
    witness.destroy();
    await other.close();
    expect([one.heard, late.heard]).toEqual([
      { text: "echo a", error: "" },
      { text: "", error: "" },
    ]);
    line.set("open");
    await eventually("the reset of both", () => one.heard.error && late.heard.error);
    await talking();
  });

  it("when slow still brings everything, in order", async () => {
    const one = await talking();
    line.set("slow");
    const text = "0123456789".repeat(5_000);
    atServer[0]?.write(text);
    await eventually("all of it", () => one.heard.text === `echo a${text}`);
  });
});
