import type { WireDifference, WireMigration, WireMigrationMetrics } from "../../api/index.ts";
import { countText } from "../age.ts";
import type { Client } from "./client.ts";
import { limitOf, type RatioPlot, ratioPlots } from "./migration-plot.ts";
import { Chip, Empty, Shown, Title } from "./parts.tsx";
import { useData } from "./use-data.ts";

interface Found {
  readonly migration: WireMigration;
  readonly metrics: WireMigrationMetrics;
  readonly differences: readonly WireDifference[];
}

const DIFFERENCES_SHOWN = 20;

/** The newest of the home; undefined: it has none. */
export const newestMigration = async (client: Client): Promise<WireMigration | undefined> =>
  (await client.get<{ migrations: WireMigration[] }>("/api/v1/migrations?limit=1")).migrations[0];

async function readMigration(client: Client): Promise<Found | null> {
  const migration = await newestMigration(client);
  if (!migration) return null;
  const path = `/api/v1/migrations/${encodeURIComponent(migration.id)}`;
  const [metrics, page] = await Promise.all([
    client.get<WireMigrationMetrics>(`${path}/metrics`),
    client.get<{ differences: WireDifference[] }>(`${path}/differences?limit=${DIFFERENCES_SHOWN}`),
  ]);
  return { migration, metrics, differences: page.differences };
}

/** Moving from an old pipeline: where it is, what was found. It is changed by the command, where a person says why. */
export function Migration() {
  const found = useData("migration", readMigration);
  return (
    <>
      <Title lead="From the old pipeline to this one while both run: who answers, and what every step has found.">
        Migration
      </Title>
      <Shown of={found}>
        {(shown) =>
          shown === null ? (
            <Empty title="Nothing is being moved.">
              To plan a move from an old pipeline: <code>npx hearthline migrate plan</code>.
            </Empty>
          ) : (
            <Whole {...shown} />
          )
        }
      </Shown>
    </>
  );
}

const LOOKS = { pass: "good", fail: "bad", inconclusive: "warn" } as const;
const spaced = (text: string): string => text.replaceAll(/[_-]/g, " ");

function Whole({ migration, metrics, differences }: Found) {
  const { state, verdict, stage_percent: percent, stages, authority, situation } = migration;
  return (
    <>
      <section class="sheet card" aria-label="Where it is">
        <p class="chips">
          <Chip>{spaced(state)}</Chip>
          <Chip look={LOOKS[verdict]}>{verdict}</Chip>
          <Chip look="plain">{authority === "split" ? "both answer" : `${authority} answers`}</Chip>
        </p>
        <p>{situation}</p>
        <ol class="steps" aria-label="Stages">
          {stages.map((stage) => (
            <li key={stage} aria-current={stage === percent ? "step" : undefined}>
              {stage <= percent ? <strong>{stage} %</strong> : `${stage} %`}
            </li>
          ))}
        </ol>
      </section>
      <Sinks sinks={metrics.sinks} />
      <Ratios plots={ratioPlots(metrics.reads, limitOf(migration.plan))} />
      <Checks checks={migration.checks} />
      <Differences counts={metrics.differences} differences={differences} />
    </>
  );
}

function Sinks({ sinks }: { readonly sinks: WireMigrationMetrics["sinks"] }) {
  return (
    <ul class="parts migration-part">
      {sinks.map(({ name, lag_seconds: lag, lost_events: lost, complete_up_to: complete, missing }) => (
        <li key={name} class="part">
          <header>{name === "new" ? "New" : "Old"}</header>
          <span class="figure">
            {lag === null ? "–" : countText(Math.round(lag))} <span>seconds behind</span>
          </span>
          {lost !== null && <p>{countText(lost)} events lost</p>}
          {complete !== undefined && (
            <p>
              Complete up to {countText(complete)}, {countText(missing ?? 0)} missing
            </p>
          )}
        </li>
      ))}
    </ul>
  );
}

function Ratios({ plots }: { readonly plots: readonly RatioPlot[] }) {
  if (plots.length === 0) return null;
  return (
    <section class="sheet card migration-part">
      <h2>New's time over old's</h2>
      {plots.map(({ query, points, evenY, limitY }) => (
        <figure key={query} class="ratios">
          <figcaption>{query}</figcaption>
          <svg width="100%" height="120" role="img" aria-label={`New's time over old's: ${query}`}>
            <line class="grid" x1="0" x2="100%" y1={`${evenY}%`} y2={`${evenY}%`} />
            <line class="limit" x1="0" x2="100%" y1={`${limitY}%`} y2={`${limitY}%`} />
            {points.map(({ x, y, low, high, says }) => (
              <g key={x}>
                {low !== undefined && high !== undefined && (
                  <line class="mark" x1={`${x}%`} x2={`${x}%`} y1={`${low}%`} y2={`${high}%`} />
                )}
                <circle class="ratio" cx={`${x}%`} cy={`${y}%`} r="3.5">
                  <title>{says}</title>
                </circle>
              </g>
            ))}
          </svg>
        </figure>
      ))}
      <p class="muted small">The thin line is even; above the broken one it goes back by itself.</p>
    </section>
  );
}

const rounded = (value: number): string => String(Number(value.toPrecision(3)));

function Checks({ checks }: { readonly checks: WireMigration["checks"] }) {
  return (
    <div class="sheet scroll migration-part">
      <table>
        <thead>
          <tr>
            <th>Check</th>
            <th>Verdict</th>
            <th class="number">Samples</th>
            <th>What it found</th>
          </tr>
        </thead>
        <tbody>
          {checks.map(({ name, verdict, is_alert: isAlert, sample_size: samples, explanation, low, high }) => (
            <tr key={name}>
              <td>{name}</td>
              <td>
                <Chip look={isAlert ? "bad" : LOOKS[verdict]}>{verdict}</Chip>
              </td>
              <td class="number">{countText(samples)}</td>
              <td>
                <bdi>{explanation}</bdi>
                {low !== undefined && high !== undefined && (
                  <span class="muted">
                    {" "}
                    ({rounded(low)} to {rounded(high)})
                  </span>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface DifferencesProps {
  readonly counts: WireMigrationMetrics["differences"];
  readonly differences: readonly WireDifference[];
}

function Differences({ counts, differences }: DifferencesProps) {
  return (
    <section class="sheet card migration-part">
      <h2>Differences</h2>
      <p class="chips">
        {Object.entries(counts).map(([name, count]) => (
          <Chip key={name} look="plain">
            {spaced(name)} {countText(count)}
          </Chip>
        ))}
      </p>
      <ul class="tracks">
        {differences.map((one) => (
          <li key={`${one.class} ${one.entity_id} ${one.at}`}>
            <bdi class="name">{one.entity_id}</bdi> {spaced(one.class)}
            <span class="times">
              {one.at}: <bdi>{one.explanation}</bdi>
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}
