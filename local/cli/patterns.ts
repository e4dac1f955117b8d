import { type Command, Option } from "commander";
import { printable, table } from "./output.ts";
import { allPages } from "./pages.ts";
import { PATTERN_DAYS_MAX, pictureOf } from "./pattern-picture.ts";
import type { Tools } from "./tools.ts";

interface TokenAnswer {
  readonly entity_id: string;
  readonly state: string;
}
interface PatternAnswer {
  readonly id: string;
  readonly kind: string;
  readonly target: TokenAnswer;
  readonly trigger?: TokenAnswer;
  readonly steps?: readonly TokenAnswer[];
  readonly hits: number;
  readonly opportunities: number;
  readonly reliability: number;
  readonly expected_share?: number;
  readonly significance: number;
  readonly automated: boolean;
  readonly status: string;
  readonly first_seen: string;
  readonly last_seen: string;
  readonly title: string;
}
interface PatternDetail extends PatternAnswer {
  readonly told_on: string;
  readonly confirmed_on: string;
  readonly evidence: Parameters<typeof pictureOf>[0];
}

const PATH = "/api/v1/patterns";
const KINDS = [
  "time-of-day",
  "co-occurrence",
  "sequence",
  "duration",
  "anomaly",
  "day-type",
  "room",
  "seasonal",
  "frequency",
];
const NOTHING =
  "no pattern yet: the nightly job tells them, most after two to four weeks; hearthline analyze runs it now";

/** `patterns list|show` */
export function addPatternCommands(program: Command, tools: Tools): void {
  const patterns = program.command("patterns").description("what the home does again and again");
  patterns
    .command("list")
    .description("the most reliable first")
    .addOption(new Option("--kind <kind>", "only these").choices(KINDS))
    .addOption(new Option("--status <status>", "only these").choices(["active", "fading", "ended"]))
    .option("--entity <id>", "only those that speak of this entity")
    .option("--area <id>", "only those of this area")
    .option("--all", "also what has ended")
    .action(async (given: { kind?: string; status?: string; entity?: string; area?: string; all?: boolean }) => {
      const { api, output } = tools();
      const { kind, status, entity, area, all = false } = given;
      const asked = { kind, status, entity_id: entity, area_id: area };
      const found = await allPages<PatternAnswer, "patterns">(api, PATH, "patterns", asked);
      const shown = found
        .filter((one) => all || status !== undefined || one.status !== "ended")
        .sort((a, b) => b.reliability - a.reliability || (a.id < b.id ? -1 : 1));
      const rows = shown.map((one) => [
        one.id,
        one.automated ? `${one.status}, automated` : one.status,
        `${one.hits}/${one.opportunities}`,
        one.reliability.toFixed(2),
        one.title,
      ]);
      output.data({ patterns: shown }, () => table(["PATTERN", "STATUS", "HITS", "SURE", "TITLE"], rows, NOTHING));
    });
  patterns
    .command("show")
    .description("one with its evidence: hits and misses by day, and when or how long")
    .argument("<id>", "as patterns list shows it")
    .action(async (id: string) => {
      const { api, output } = tools();
      const one = await api.get<PatternDetail>(`${PATH}/${encodeURIComponent(id)}`);
      output.data(one, () => textOf(one));
    });
}

const tokenText = ({ entity_id, state }: TokenAnswer): string => `${entity_id} = ${state}`;

/** Never 100 %: what is to come is not certain. */
const nextText = (kind: string, share: number): string =>
  `on about ${Math.min(99, Math.round(100 * share))} % of such ${kind === "time-of-day" ? "days" : "occasions"} from now on`;

function textOf(one: PatternDetail): string {
  const { steps = [], trigger, evidence } = one;
  const facts: (readonly [string, string])[] = [
    ["kind", one.kind],
    ...(trigger ? [["when", tokenText(trigger)] as const] : []),
    ...(steps.length > 0
      ? steps.map((step, at) => [at === 0 ? "steps" : "", tokenText(step)] as const)
      : [["what", tokenText(one.target)] as const]),
    ["status", `${one.status}${one.automated ? ", done by an automation of the home already" : ""}`],
    ["hits", `${one.hits} of ${one.opportunities} (at least ${Math.round(100 * one.reliability)} % in the long run)`],
    ...(one.expected_share !== undefined ? [["expected", nextText(one.kind, one.expected_share)] as const] : []),
    ["chance", one.significance.toExponential(1)],
    ["seen", `${one.first_seen} to ${one.last_seen}, told on ${one.told_on}, confirmed on ${one.confirmed_on}`],
    ...Object.entries(evidence.details ?? {}).map(([name, value]) => [name, String(value)] as const),
  ];
  const width = Math.max(...facts.map(([name]) => name.length));
  return [
    printable(one.title),
    "",
    ...facts.map(([name, value]) => `${name.padEnd(width)}  ${printable(value)}`),
    "",
    `the last ${PATTERN_DAYS_MAX} days`,
    ...pictureOf(evidence),
  ].join("\n");
}
