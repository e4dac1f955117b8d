import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, createServer, type Server } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { freePorts } from "../../../local/start/ports.ts";
import { answersHttp, watchForSilence } from "../../../local/start/silence.ts";
import { manualClock } from "../../support/manual-clock.ts";

/** Watches a part that answers as listed; how often it was told silent. */
async function watch(answers: readonly boolean[]): Promise<number> {
  const clock = manualClock();
  const over = new AbortController();
  const left = [...answers];
  let silences = 0;
  const watching = watchForSilence({
    answers: async () => left.shift() ?? true,
    onSilent: () => {
      silences++;
    },
    clock,
    signal: over.signal,
  });
  for (let times = 0; times <= answers.length; times++) await clock.advance(5_000);
  over.abort();
  await clock.advance(5_000);
  await watching;
  return silences;
}

it("takes four silences in a row for a part that hangs, and no fewer", async () => {
  expect(await watch([true, false, false, false, true, false, false, false, true])).toBe(0);
  expect(await watch([true, false, false, false, false])).toBe(1);
  expect(await watch(Array.from({ length: 8 }, () => false))).toBe(2);
});

async function listen(server: Server): Promise<number> {
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

it("asks over HTTP: any answer counts, nobody there is no silence, a connection without an answer is", async () => {
  const nothingFound = createHttpServer((_, answer) => answer.writeHead(404).end());
  expect(await answersHttp(await listen(nothingFound), 5_000)).toBe(true);
  expect(await answersHttp((await freePorts(1))[0] ?? 0, 5_000)).toBe(true);
  const silent = createServer((socket) => onTestFinished(() => void socket.destroy()));
  expect(await answersHttp(await listen(silent), 50)).toBe(false);
});
