import { rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { createSqliteEventStore } from "../../lib/adapters/sqlite/event-store.ts";
import { formatIsoUs, parseIsoUs } from "../../lib/base/time.ts";
import { hearthline, type Ledger, now, sentEvents, sentUntil, subscribedSince } from "./embedded.ts";
import { isOfHome, legacyOf } from "./migration-way.ts";
import { newDataFolder, removeData, startStack, until } from "./stack.ts";

/** A running stack beside an old pipeline, both of which can be made faulty, and a person at the controls of one migration after the other. */

export interface WireCheck {
  readonly name: string;
  readonly verdict: string;
  readonly trigger?: string;
  readonly explanation: string;
  readonly is_alert?: boolean;
}

interface Row {
  readonly id: string;
  readonly state: string;
  readonly paused_from?: string;
  readonly stage_percent: number;
  readonly situation: string;
  readonly checks: readonly WireCheck[];
}

export interface Change {
  readonly from: string;
  readonly to: string;
  readonly at: string;
  readonly trigger?: string;
  readonly reason: string;
  readonly evidence: readonly WireCheck[];
}

interface RelayLedger extends Ledger {
  readonly relay_id: string;
}

/** Seconds, as a rule; minutes with as much beside it as a machine may have. */
export const PATIENT = { deadlineMs: 400_000, everyMs: 200 } as const;
/** Later than anything here. */
const FAR = "2100-01-01T00:00:00+00:00";
const HOOK = resolve(import.meta.dirname, "../fixtures/store-faults.mjs");

export async function startRunningMove() {
  const dataFolder = newDataFolder();
  const faultFile = join(dataFolder, "store-fault");
  const stack = await startStack({
    dataFolder,
    args: ["--old", "legacy", "--rate", "10"],
    env: {
      ...{ HEARTHLINE_MIGRATION_SECONDS: "1", HEARTHLINE_OUTBOX_SECONDS: "1", HEARTHLINE_RELAY_STATUS_SECONDS: "1" },
      ...{ NODE_OPTIONS: `--import=${HOOK}`, STORE_FAULT_FILE: faultFile },
    },
  });
  const old = legacyOf(stack);
  const since = await underWay().catch(async (thrown: unknown) => {
    await stack.stop();
    throw thrown;
  });
  const store = createSqliteEventStore({ path: join(dataFolder, "store.db") });

  /** From the moment on that this gives, both sides get everything: what the relay has read as a snapshot when it came is nothing that OLD was told. */
  async function underWay(): Promise<string> {
    const connected = await subscribedSince(stack);
    await until(
      () => old.events(connected, FAR),
      (events) => events.length > 0,
    );
    return now();
  }

  /** A back-fill has numbers of its own. */
  async function ledgerOfRelay() {
    const { parts } = await stack.get<{ readonly parts: readonly { readonly ledger?: RelayLedger }[] }>("/health");
    return parts.flatMap(({ ledger }) => ledger ?? []).find(({ relay_id }) => !relay_id.startsWith("import-"));
  }

  async function command(...args: string[]) {
    const done = await hearthline(dataFolder, "migrate", ...args);
    if (done.code !== 0) throw new Error(`hearthline migrate ${args.join(" ")}: ${done.out}`);
    return done.json;
  }
  const row = (id: string) => stack.get<Row>(`/api/v1/migrations/${id}`);

  /** Plan and start. */
  async function begin(plan: object): Promise<{ readonly id: string }> {
    const file = join(dataFolder, "plan.json");
    writeFileSync(file, JSON.stringify(plan));
    const { id, home_id } = await command("plan", "--plan", file);
    homeId = home_id;
    await command("start");
    return { id };
  }

  async function authority(): Promise<string> {
    const answer = await stack.fetch("/api/v1/events?limit=1");
    return answer.headers.get("x-hearthline-authority") ?? "none";
  }

  /** Signals one part of the stack. */
  function signal(name: string, what: NodeJS.Signals): void {
    const pid = stack.parts().find((part) => part.name === name)?.pid;
    if (pid) process.kill(pid, what);
  }

  /** Every event of the home from `since` on, as NEW's store has it, past the API and whoever is the authority. */
  let homeId = "";
  async function inNew(to: string): Promise<string[]> {
    const names: string[] = [];
    for await (const events of store.scan({ homeId, fromUs: parseIsoUs(since), toUs: parseIsoUs(to) }))
      for (const { entityId, atUs, state, kind, domain } of events)
        if (domain !== "hearthline")
          names.push(`${entityId} ${formatIsoUs(atUs)} ${kind === "removed" ? "removed" : JSON.stringify(state)}`);
    return names.filter(isOfHome).sort();
  }

  /** What was on its way to OLD when a migration began is none of its business: a fault of OLD begins behind it. */
  async function oldIsFed(): Promise<void> {
    const to = now();
    const sent = sentEvents(dataFolder, since, to);
    await until(
      async () => without(sent, await old.events(since, to)),
      (lacking) => lacking.length === 0,
      PATIENT,
    );
  }

  return {
    ...{ stack, old, since, dataFolder, command, row, signal, inNew },
    begin,
    /** Begun, and by hand, over what the checks say, brought to the state; it stands there, paused, until `goOn`. */
    async bringTo(state: string, plan: object): Promise<string> {
      const { id } = await begin(plan);
      // Whoever reads is told within seconds that there is a migration.
      await until(authority, (side) => side !== "none");
      const there = () => row(id);
      for (let now = await there(); now.state !== state; now = await there())
        // A step may have been faster; then it is looked at again.
        await hearthline(dataFolder, "migrate", "advance", "--force", "--reason", "A test goes on.");
      await command("pause", "--reason", "A fault begins.");
      const { paused_from } = await there();
      if (paused_from !== state) throw new Error(`It went on to ${paused_from} before it was paused in ${state}.`);
      await oldIsFed();
      return id;
    },
    /** Where one has not ended. */
    abort: () => hearthline(dataFolder, "migrate", "abort", "--force", "--reason", "The test is over."),
    goOn: () => command("resume"),
    async history(): Promise<readonly Change[]> {
      return (await command("report")).history;
    },
    setOld: (faults: object) => old.put("/faults", faults),
    /** `slow MS`, `errors N` (one page of N), `down`, `loses` (one batch that it acknowledges); undefined: none. */
    setNew(fault: string | undefined): void {
      if (fault === undefined) rmSync(faultFile, { force: true });
      else writeFileSync(faultFile, fault);
    },
    /** What has been sent, and what each side has of it, as soon as all of it is there or at the deadline. */
    async held(mayNewLack: (name: string) => boolean) {
      const to = sentUntil(dataFolder);
      const look = async () => {
        const [sent, atOld, atNew] = [sentEvents(dataFolder, since, to), await old.events(since, to), await inNew(to)];
        return { sent, missingInOld: without(sent, atOld), missingInNew: without(sent, atNew) };
      };
      const isWhole = ({ missingInOld, missingInNew }: Awaited<ReturnType<typeof look>>) =>
        missingInOld.length === 0 && missingInNew.every(mayNewLack);
      return until(look, isWhole, PATIENT).catch(look);
    },
    ledger: () =>
      until(
        ledgerOfRelay,
        (ledger) => !!ledger && ledger.missing === 0 && ledger.complete_up_to === ledger.last_sequence,
        PATIENT,
      ),
    async stop(): Promise<void> {
      await store.close();
      await stack.stop();
      removeData(dataFolder);
    },
  };
}

const without = (names: readonly string[], there: readonly string[]): readonly string[] => {
  const known = new Set(there);
  return names.filter((name) => !known.has(name));
};
