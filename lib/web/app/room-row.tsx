import { durationText } from "../age.ts";
import { type Day, timeText } from "./day.ts";
import { Name } from "./parts.tsx";
import { LANES, type Lane, mergedLane, onAt, type Room, type Track } from "./ribbon.ts";
import { useSession } from "./use-data.ts";

export const LANE_LABELS: Readonly<Record<Lane, string>> = {
  presence: "Somebody moved",
  light: "Lights on",
  device: "Devices on",
};

const percent = (day: Day, atMs: number): number => ((atMs - day.fromMs) / (day.toMs - day.fromMs)) * 100;

/** The hours over all ribbons. */
export const Axis = ({ day }: { readonly day: Day }) => (
  <div class="room axis-row">
    <span />
    <svg class="hours" width="100%" height="18" role="img" aria-label="Hours of the day">
      {day.ticks.map(({ atMs, label }) => {
        const x = percent(day, atMs);
        return (
          <text key={atMs} x={`${x}%`} y="13" class={`edge ${x < 3 ? "start" : x > 97 ? "end" : "middle"}`}>
            {label}
          </text>
        );
      })}
    </svg>
  </div>
);

const LANE_HEIGHT = 9;
const LANE_GAP = 3;
/** What lasted a moment is seen too. */
const THINNEST_PERCENT = 0.2;

interface RoomRowProps {
  readonly room: Room;
  readonly day: Day;
  readonly atMs: number | undefined;
}

/** A room's day: a lane for each kind of thing, what it comes to in words, and behind that each entity with its times. */
export function RoomRow({ room, day, atMs }: RoomRowProps) {
  const { clock } = useSession();
  const lanes = LANES.map((lane) => ({ lane, ...mergedLane(room.tracks, lane) })).filter(({ totalMs }) => totalMs > 0);
  const totals = lanes.map(({ lane, totalMs }) => `${LANE_LABELS[lane].toLowerCase()} ${unbroken(totalMs)}`);
  const summary = capitalised(totals.join(", "));
  const height = lanes.length * (LANE_HEIGHT + LANE_GAP) + LANE_GAP;
  const on = atMs === undefined ? undefined : onAt(room.tracks, atMs);
  return (
    <section class="room" aria-label={room.name}>
      <h2 class="room-name">
        <Name>{room.name}</Name>
      </h2>
      <svg class="ribbon" width="100%" height={height} role="img" aria-label={`${room.name}: ${summary}`}>
        {day.ticks.map((tick) => (
          <line key={tick.atMs} {...vertical(percent(day, tick.atMs))} y1="0" y2={height} class="grid" />
        ))}
        {lanes.map(({ lane, stretches }, index) =>
          stretches.map(({ fromMs, toMs }) => (
            <rect
              key={`${lane}${fromMs}`}
              x={`${percent(day, fromMs)}%`}
              width={`${Math.max(THINNEST_PERCENT, percent(day, toMs) - percent(day, fromMs))}%`}
              y={LANE_GAP + index * (LANE_HEIGHT + LANE_GAP)}
              height={LANE_HEIGHT}
              rx="2"
              class={lane}
            />
          )),
        )}
        {atMs !== undefined && <line {...vertical(percent(day, atMs))} y1="0" y2={height} class="cursor" />}
      </svg>
      <details>
        <summary class="room-says">{on ? <On tracks={on} /> : summary}</summary>
        <Tracks room={room} timeOf={(ms) => timeText(ms, clock)} />
      </details>
    </section>
  );
}

/** Its parts stay on one line. */
const unbroken = (ms: number): string => durationText(ms / 1000).replaceAll(" ", "\u00a0");
const vertical = (x: number) => ({ x1: `${x}%`, x2: `${x}%` });
const capitalised = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

const On = ({ tracks }: { readonly tracks: readonly Track[] }) =>
  tracks.length === 0 ? (
    <span class="muted">Nothing was on</span>
  ) : (
    <>
      {tracks.slice(0, 4).map(({ entityId, name, lane }) => (
        <span key={entityId} class="on-one">
          <span class={`swatch ${lane}`} />
          <Name>{name}</Name>
        </span>
      ))}
      {tracks.length > 4 && ` and ${tracks.length - 4} more`}
    </>
  );

const STRETCHES_SHOWN = 12;

interface TracksProps {
  readonly room: Room;
  readonly timeOf: (atMs: number) => string;
}

const Tracks = ({ room, timeOf }: TracksProps) => (
  <ul class="tracks">
    {room.tracks.map(({ entityId, name, lane, totalMs, stretches }) => (
      <li key={entityId}>
        <span class={`swatch ${lane}`} />
        <Name>{name}</Name> <span class="muted">{durationText(totalMs / 1000)}</span>
        <span class="times">
          {stretches
            .slice(0, STRETCHES_SHOWN)
            .map(({ fromMs, toMs }) => `${timeOf(fromMs)}–${timeOf(toMs)}`)
            .join(", ")}
          {stretches.length > STRETCHES_SHOWN && ` and ${stretches.length - STRETCHES_SHOWN} more times`}
        </span>
      </li>
    ))}
  </ul>
);
