import { type Command, Option } from "commander";
import { readConfig } from "../../lib/wiring/config.ts";
import type { CommandContext } from "./context.ts";
import { confirm, operatorOf } from "./operator.ts";
import { CommandFailure } from "./outcome.ts";
import { printable, table } from "./output.ts";
import { countOf, type Tools } from "./tools.ts";

interface NewTokenOptions {
  readonly name: string;
  readonly home?: string;
  readonly scopes: string;
  readonly expiresDays?: number;
  readonly days?: number;
}

/** `homes add|list|remove`, and the keys */
export function addHomeCommands(program: Command, tools: Tools): void {
  const homes = program.command("homes").description("the homes of this installation");
  homes
    .command("add <home>")
    .description("makes a home and its key; the key is shown this once")
    .option("--name <text>", "what people call it")
    .option("--time-zone <zone>", "IANA name, such as Europe/Amsterdam")
    .action(async (homeId: string, { name, timeZone }: { name?: string; timeZone?: string }) => {
      const { context, output } = tools();
      if (timeZone) readConfig({ HEARTHLINE_TIME_ZONE: timeZone });
      const home = await operatorOf(context).homes.add({
        homeId,
        ...(name && { name }),
        ...(timeZone && { timeZone }),
      });
      output.data(
        { home_id: home.homeId, key_id: home.keyId, key: home.key },
        () => `home    ${home.homeId}\nkey     ${home.key}`,
      );
      output.remark("Give the key to the home's relay as HEARTHLINE_HOME_KEY. It is not shown again.");
    });
  homes
    .command("list")
    .description("every home")
    .action(async () => {
      const { context, output } = tools();
      const found = await operatorOf(context).homes.list();
      const shown = found.map((home) => ({
        home_id: home.homeId,
        name: home.name,
        time_zone: home.timeZone,
        ha_version: home.haVersion,
        created_at: home.createdAt,
      }));
      const rows = shown.map((home) => [home.home_id, home.name, home.time_zone, home.ha_version, home.created_at]);
      output.data({ homes: shown }, () =>
        table(["HOME", "NAME", "TIME ZONE", "HOME ASSISTANT", "CREATED"], rows, "no homes"),
      );
    });
  homes
    .command("remove <home>")
    .description(
      "removes a home with its keys, tokens, index, aggregates and stored events; broken off, it can be run again",
    )
    .option("--yes", "do not ask")
    .action(async (homeId: string, { yes }: { yes?: boolean }) => {
      const { context, output } = tools();
      const { homes } = operatorOf(context);
      const store = readConfig(context.env).HEARTHLINE_STORE;
      if (!(await homes.isThere(homeId))) throw new CommandFailure(1, `There is no home "${homeId}".`);
      await confirm(
        `This removes the home "${homeId}", its keys, its tokens and all of its events in the store "${store}".`,
        yes,
      );
      const { events } = await homes.remove(homeId);
      output.data(
        { removed: homeId, store, events },
        () => `removed ${printable(homeId)} and ${events} events in the store "${store}"`,
      );
      output.remark(
        store === "timestream"
          ? "Timestream deletes nothing: its events go by the table's retention period."
          : "What is still on its way to it is dropped; a batch that was being stored in this very moment goes when this is run again.",
      );
    });
  addKeyCommands(homes, tools);
}

/** `homes keys|rotate-key|retire-key` */
function addKeyCommands(homes: Command, tools: Tools): void {
  homes
    .command("keys <home>")
    .description("the keys with which the home's relays sign: since when, and who signed with them last")
    .action(async (homeId: string) => {
      const { context, output } = tools();
      const keys = await operatorOf(context).keys.list(homeId);
      if (keys.length === 0) throw new CommandFailure(1, `There is no home "${homeId}".`);
      const shown = keys.map((key) => ({
        key_id: key.id,
        status: key.retiredAt !== undefined ? "retired" : key.isCurrent ? "current" : "good",
        created_at: key.createdAt,
        retired_at: key.retiredAt,
        last_used_at: key.lastUsedAt,
        relays: key.relays.map(({ relayId, at, hasMoved }) => ({ relay_id: relayId, at, has_moved: hasMoved })),
      }));
      const rows = shown.map((key) => [
        key.key_id,
        key.status,
        key.created_at,
        key.last_used_at ?? "never",
        key.relays.flatMap(({ relay_id, has_moved }) => (has_moved ? [] : relay_id)).join(", "),
      ]);
      output.data({ home_id: homeId, keys: shown }, () =>
        table(["KEY", "STATUS", "CREATED", "LAST USED", "RELAYS THAT HAVE IT"], rows, "no keys"),
      );
    });
  homes
    .command("rotate-key <home>")
    .description("makes a new key beside the old one, which stays good until it is retired; it is shown this once")
    .action(async (homeId: string) => {
      const { context, output } = tools();
      const { keyId, key } = await operatorOf(context).keys.rotate(homeId);
      output.data({ home_id: homeId, key_id: keyId, key }, () => `home    ${printable(homeId)}\nkey     ${key}`);
      output.remark(
        `Give the key to the home's relay as HEARTHLINE_HOME_KEY and restart it; nothing is lost meanwhile. A day later: hearthline homes retire-key ${homeId} with the old key of hearthline homes keys ${homeId}.`,
      );
    });
  homes
    .command("retire-key <home> <key>")
    .description("ends an old key; refused while something still signs with it or waits that it signed")
    .option("--force", "also then: for a key that others have got hold of")
    .option("--undo", "takes a retired key back, within 90 days")
    .action(async (homeId: string, keyId: string, { force, undo }: { force?: boolean; undo?: boolean }) => {
      const { context, output } = tools();
      const { keys } = operatorOf(context);
      if (undo) await keys.restore(homeId, keyId);
      else await keys.retire(homeId, keyId, { force: force === true });
      output.data({ home_id: homeId, [undo ? "restored" : "retired"]: keyId }, () =>
        undo ? `taken back ${printable(keyId)}` : `retired ${printable(keyId)}`,
      );
      if (!undo) output.remark("Functions that are running forget it within a minute. --undo takes it back.");
    });
}

/** `tokens create|list|revoke` */
export function addTokenCommands(program: Command, tools: Tools): void {
  const tokens = program.command("tokens").description("bearer tokens of a home");
  const homeOf = (context: CommandContext, home: string | undefined) =>
    home ?? readConfig(context.env).HEARTHLINE_HOME_ID;
  tokens
    .command("create")
    .description("makes a token; it is shown this once")
    .requiredOption("--name <text>", "what it is for")
    .option("--home <id>", "default: HEARTHLINE_HOME_ID")
    .option("--scopes <list>", "some of read, write, admin", "read")
    .option("--expires-days <n>", "days until it expires; default: never", countOf(1, 36_500))
    .addOption(new Option("--days <n>", "as --expires-days").argParser(countOf(1, 36_500)).hideHelp())
    .action(async ({ name, home, scopes, ...until }: NewTokenOptions) => {
      const { context, output } = tools();
      const days = until.expiresDays ?? until.days;
      const homeId = homeOf(context, home);
      const wanted = scopes.split(",").map((scope) => scope.trim()) as ("read" | "write" | "admin")[];
      const token = await operatorOf(context).tokens.create({
        homeId,
        name,
        scopes: wanted,
        ...(days && { expiresInDays: days }),
      });
      output.data({ id: token.id, home_id: homeId, token: token.text }, () => token.text);
      output.remark("The token is not shown again.");
    });
  tokens
    .command("list")
    .description("the tokens of a home, never their text")
    .option("--home <id>", "default: HEARTHLINE_HOME_ID")
    .action(async ({ home }: { home?: string }) => {
      const { context, output, clock } = tools();
      const found = await operatorOf(context).tokens.list(homeOf(context, home));
      const isOver = (at: string | undefined) => at !== undefined && Date.parse(at) <= clock.nowMs();
      const shown = found.map((token) => ({
        id: token.id,
        name: token.name,
        scopes: token.scopes,
        created_at: token.createdAt,
        expires_at: token.expiresAt,
        expired: isOver(token.expiresAt),
      }));
      const rows = shown.map((token) => [
        token.id,
        token.name,
        token.scopes.join(","),
        token.created_at,
        token.expires_at === undefined ? "never" : `${token.expires_at}${token.expired ? " (over)" : ""}`,
      ]);
      output.data({ tokens: shown }, () => table(["TOKEN", "NAME", "SCOPES", "CREATED", "EXPIRES"], rows, "no tokens"));
    });
  tokens
    .command("revoke <id>")
    .description("ends a token")
    .option("--home <id>", "default: HEARTHLINE_HOME_ID")
    .action(async (id: string, { home }: { home?: string }) => {
      const { context, output } = tools();
      const homeId = homeOf(context, home);
      if (!(await operatorOf(context).tokens.revoke(homeId, id)))
        throw new CommandFailure(1, `The home "${homeId}" has no token "${id}".`);
      output.data({ revoked: id }, () => `revoked ${printable(id)}`);
    });
}
