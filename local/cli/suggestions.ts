import { type Command, Option } from "commander";
import { CommandFailure } from "./outcome.ts";
import { printable, table } from "./output.ts";
import { allPages } from "./pages.ts";
import type { Tools } from "./tools.ts";

interface SuggestionAnswer {
  readonly id: string;
  readonly rank?: number;
  readonly score: number;
  readonly source: string;
  readonly status: string;
  readonly title: string;
  readonly description: string;
  readonly evidence: string;
  readonly automation?: object;
  readonly snoozed_until?: string;
  readonly outcome?: string;
  readonly outcome_detail?: string;
  readonly history: readonly { readonly at: string; readonly what: string; readonly by: string }[];
}

const PATH = "/api/v1/suggestions";
const pathOf = (id: string, rest = ""): string => `${PATH}/${encodeURIComponent(id)}${rest}`;
const DAYS_DEFAULT = 14;

/** `suggestions list|show|accept|dismiss|snooze|restore` */
export function addSuggestionCommands(program: Command, tools: Tools): void {
  const suggestions = program.command("suggestions").description("what Home Assistant could do for the home");
  suggestions
    .command("list")
    .description("the best first")
    .option("--all", "also what was dismissed, snoozed, accepted, or is no longer among the best")
    .addOption(new Option("--status <status>", "only these").choices(["new", "accepted", "dismissed", "snoozed"]))
    .action(async ({ all = false, status }: { all?: boolean; status?: string }) => {
      const { api, output } = tools();
      const found = await allPages<SuggestionAnswer, "suggestions">(api, PATH, "suggestions", { status });
      const shown = all || status !== undefined ? found : found.filter(({ rank }) => rank !== undefined);
      const rows = shown.map((one) => [one.rank, one.id, stateOf(one), one.score.toFixed(2), one.title]);
      const empty =
        "no suggestion yet: most habits need two to four weeks; hearthline patterns list shows what was seen";
      output.data({ suggestions: shown }, () => table(["#", "SUGGESTION", "STATUS", "SCORE", "TITLE"], rows, empty));
    });
  suggestions
    .command("show")
    .description("one with its evidence and its automation")
    .argument("<id>", "as suggestions list shows it")
    .action(async (id: string) => {
      const { api, output } = tools();
      const one = await api.get<SuggestionAnswer>(pathOf(id));
      const yaml = one.automation ? await api.get<string>(pathOf(id, "/automation.yaml")) : undefined;
      output.data({ ...one, ...(yaml !== undefined && { yaml }) }, () => textOf(one, yaml));
    });
  for (const [what, description] of [
    ["accept", "takes it: the relay writes the automation into Home Assistant, where it may"],
    ["dismiss", "never suggests it again, nor what comes to the same"],
    [
      "restore",
      "takes a dismissal or a snooze back: it is where it was; once a night has passed, it may be suggested again from the next one on",
    ],
  ] as const)
    suggestions
      .command(what)
      .description(description)
      .argument("<id>", "as suggestions list shows it")
      .action(async (id: string) => {
        const { api, output } = tools();
        const one = await api.post<SuggestionAnswer>(pathOf(id, `/${what}`), {});
        output.data(one, () => `${one.id} is ${stateOf(one)}: ${printable(one.title)}`);
      });
  suggestions
    .command("snooze")
    .description("puts it off")
    .argument("<id>", "as suggestions list shows it")
    .option("--days <number>", "for so many days", String(DAYS_DEFAULT))
    .action(async (id: string, { days }: { days: string }) => {
      const { api, output } = tools();
      if (!/^[1-9]\d{0,2}$/.test(days))
        throw new CommandFailure(2, `--days is "${days}"; wanted is a whole number from 1 to 365.`);
      const one = await api.post<SuggestionAnswer>(pathOf(id, "/snooze"), { days: Number(days) });
      output.data(one, () => `${one.id} is put off until ${one.snoozed_until}: ${printable(one.title)}`);
    });
}

const stateOf = ({ status, outcome }: SuggestionAnswer): string => (outcome ? `${status}, ${outcome}` : status);

function textOf(one: SuggestionAnswer, yaml: string | undefined): string {
  const lines = [
    printable(one.title),
    "",
    printable(one.description),
    `evidence   ${printable(one.evidence)}`,
    `status     ${stateOf(one)}${one.outcome_detail ? `: ${printable(one.outcome_detail)}` : ""}`,
    ...(one.rank === undefined ? [] : [`rank       ${one.rank} (score ${one.score.toFixed(2)}, ${one.source})`]),
    ...one.history.map(({ at, what, by }) => `           ${at}  ${printable(what)} (${by})`),
  ];
  if (yaml !== undefined) lines.push("", "automation:", ...yaml.trimEnd().split("\n").map(printable));
  return lines.join("\n");
}
