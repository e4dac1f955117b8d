import type { Command } from "commander";
import { readConfig } from "../../lib/wiring/config.ts";
import type { CommandContext } from "./context.ts";
import { confirm, operatorOf } from "./operator.ts";
import { CommandFailure } from "./outcome.ts";
import { printable, table } from "./output.ts";
import { countOf, type Tools } from "./tools.ts";

/** `homes add|list|remove` */
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
    .description("removes a home, its keys, tokens and index; its stored events stay until retention takes them")
    .option("--yes", "do not ask")
    .action(async (homeId: string, { yes }: { yes?: boolean }) => {
      const { context, output } = tools();
      const operator = operatorOf(context);
      if (!(await operator.homes.get(homeId))) throw new CommandFailure(1, `There is no home "${homeId}".`);
      await confirm(`This removes the home "${homeId}", its keys and its tokens.`, yes);
      await operator.homes.remove(homeId);
      output.data({ removed: homeId }, () => `removed ${printable(homeId)}`);
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
    .option("--days <n>", "days until it expires; default: never", countOf(1, 36_500))
    .action(async ({ name, home, scopes, days }: { name: string; home?: string; scopes: string; days?: number }) => {
      const { context, output } = tools();
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
      const { context, output } = tools();
      const found = await operatorOf(context).tokens.list(homeOf(context, home));
      const shown = found.map((token) => ({
        id: token.id,
        name: token.name,
        scopes: token.scopes,
        created_at: token.createdAt,
        expires_at: token.expiresAt,
      }));
      const rows = shown.map((token) => [
        token.id,
        token.name,
        token.scopes.join(","),
        token.created_at,
        token.expires_at ?? "never",
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
