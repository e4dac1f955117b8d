import type { WireRetention } from "../../api/index.ts";
import { countText } from "../age.ts";
import { dateText, daysBetween } from "./day.ts";
import { Shown, Title } from "./parts.tsx";
import { useData, useSession } from "./use-data.ts";
import { LAYER_NUMBERS, LAYER_TEXTS, meansText } from "./words.ts";

type Layer = WireRetention["layers"][number];

const MARKS = [
  [1, "day"],
  [7, "week"],
  [30, "month"],
  [91, "quarter"],
  [365, "year"],
] as const;
/** For ever is drawn to the end. */
const SCALE_DAYS = 480;

/** How far back, on a scale on which a week is seen beside a year. */
const share = (days: number): number => (Math.log1p(Math.min(days, SCALE_DAYS)) / Math.log1p(SCALE_DAYS)) * 100;

/** What the cloud holds, and until when. */
export function Layers() {
  const session = useSession();
  const found = useData("layers", (client) => client.get<WireRetention>("/api/v1/retention"));
  return (
    <>
      <Title lead="The nearer a day, the more of it is kept: events for days, their sums for a year, what was learned for ever.">
        Layers
      </Title>
      <Shown of={found}>
        {({ layers, enforced_at: enforcedAt }) => (
          <>
            <div class="sheet layers">
              <ol>
                {layers.map((layer) => (
                  <LayerRow key={layer.layer} layer={layer} nowMs={session.nowMs()} />
                ))}
              </ol>
              <svg class="scale" width="100%" height="18" aria-hidden="true">
                {MARKS.map(([days, label]) => (
                  <text key={days} x={`${share(days)}%`} y="13" class="edge middle">
                    {label}
                  </text>
                ))}
              </svg>
            </div>
            <ul class="legend" aria-label="Legend">
              <li>
                <span class="swatch held" />
                What is there
              </li>
              <li>
                <span class="swatch kept" />
                For how long it is kept
              </li>
            </ul>
            <p class="muted small">
              {enforcedAt === null
                ? "No nightly job has run yet: these are the settings."
                : `As the nightly job of ${dateText(enforcedAt)} enforced it.`}
            </p>
          </>
        )}
      </Shown>
    </>
  );
}

function LayerRow({ layer, nowMs }: { readonly layer: Layer; readonly nowMs: number }) {
  const { keep_days: keepDays, setting_days: settingDays, oldest, means } = layer;
  const [name, holds] = LAYER_TEXTS[layer.layer];
  const heldDays = oldest === null ? undefined : daysBetween(oldest, nowMs);
  const keeps = keepDays === null ? "For ever" : `${countText(keepDays)} days`;
  const reach = heldDays === undefined || oldest === null ? "Empty as yet" : `Back to ${dateText(oldest)}`;
  const changes = keepDays !== settingDays && settingDays !== null;
  return (
    <li class="layer">
      <h2 class="layer-name">
        <span class="layer-number">{LAYER_NUMBERS[layer.layer]}</span> {name}
      </h2>
      <p class="layer-holds">{holds}</p>
      <svg class="layer-bar" width="100%" height="16" role="img" aria-label={`${name}: kept ${keeps}. ${reach}.`}>
        {MARKS.map(([days]) => (
          <line key={days} x1={`${share(days)}%`} x2={`${share(days)}%`} y1="0" y2="16" class="grid" />
        ))}
        <rect width={`${keepDays === null ? 100 : share(keepDays)}%`} height="16" rx="4" class="kept" />
        {heldDays !== undefined && <rect width={`${Math.max(1, share(heldDays))}%`} height="16" rx="4" class="held" />}
      </svg>
      <p class="layer-says">
        <strong>{keeps}</strong>
        <span>{reach}</span>
        <span>{meansText(means)}</span>
        {changes && <span>From the next night on: {countText(settingDays)} days</span>}
      </p>
    </li>
  );
}
