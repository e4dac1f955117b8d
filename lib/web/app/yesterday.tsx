import { useState } from "preact/hooks";
import type { WireArea, WireEntity, WireEvent } from "../../api/index.ts";
import { addDays } from "../../base/zone.ts";
import { countText } from "../age.ts";
import type { Client } from "./client.ts";
import { type Day, dateText, dayOf, timeText, yesterdayOf } from "./day.ts";
import { Empty, Shown, Title } from "./parts.tsx";
import { buildRooms, LANES, RIBBON_DOMAINS, type Room } from "./ribbon.ts";
import { Axis, LANE_LABELS, RoomRow } from "./room-row.tsx";
import { useData, useSession } from "./use-data.ts";

/** Of each kind of entity; so many events of one kind and day are a fault, or not a home. */
const EVENTS_MAX = 5_000;
const ENTITIES_MAX = 20_000;

interface DayData {
  readonly rooms: readonly Room[];
  /** Some events of the day are not among these. */
  readonly isCut: boolean;
}

/** A day of the home as a ribbon per room. */
export function Yesterday({ date: asked }: { readonly date: string | undefined }) {
  const session = useSession();
  const { clock } = session;
  const latest = yesterdayOf(session.nowMs(), clock);
  const date = asked !== undefined && /^\d{4}-\d\d-\d\d$/.test(asked) && asked <= addDays(latest, 1) ? asked : latest;
  const day = dayOf(date, clock);
  const toMs = Math.min(day.toMs, session.nowMs());
  const found = useData(`day ${date}`, (client) => readDay(client, { fromMs: day.fromMs, toMs }));
  const name = date === latest ? "Yesterday" : date > latest ? "Today so far" : dateText(date);
  return (
    <>
      <Title
        lead={`${dateText(date)}, from ${timeText(day.fromMs, clock)} to ${timeText(toMs, clock)}${toMs === day.toMs ? " in the morning after" : ""}`}
      >
        {name}
      </Title>
      <p class="days">
        <a href={`#yesterday/${addDays(date, -1)}`}>← {dateText(addDays(date, -1))}</a>
        {date <= latest && <a href={`#yesterday/${addDays(date, 1)}`}>{dateText(addDays(date, 1))} →</a>}
      </p>
      <Shown of={found}>{(data) => <Rooms key={date} {...data} day={day} />}</Shown>
    </>
  );
}

async function readDay(client: Client, { fromMs, toMs }: { fromMs: number; toMs: number }): Promise<DayData> {
  const [areas, entities] = await Promise.all([
    client.list<WireArea>("/api/v1/areas?limit=1000", "areas", ENTITIES_MAX),
    client.list<WireEntity>("/api/v1/entities?limit=1000", "entities", ENTITIES_MAX),
  ]);
  const present = new Set(entities.items.map(({ domain }) => domain));
  const span = `from=${new Date(fromMs).toISOString()}&to=${new Date(toMs).toISOString()}`;
  const pages = await Promise.all(
    RIBBON_DOMAINS.filter((domain) => present.has(domain)).map((domain) =>
      client.list<WireEvent>(`/api/v1/events?domain=${domain}&${span}&order=asc&limit=1000`, "events", EVENTS_MAX),
    ),
  );
  const events = pages.flatMap(({ items }) => items);
  const rooms = buildRooms({ events, entities: entities.items, areas: areas.items, fromMs, toMs });
  return { rooms, isCut: pages.some(({ more }) => more) };
}

const STEP_MINUTES = 5;
const MINUTE_MS = 60_000;

function Rooms({ rooms, isCut, day }: DayData & { readonly day: Day }) {
  const { clock } = useSession();
  const [atMs, setAtMs] = useState<number | undefined>(undefined);
  if (rooms.length === 0)
    return (
      <Empty title="Nothing is known of this day.">
        No motion, light or device was seen. Events are kept for some days only (see <a href="#layers">what is kept</a>
        ); import what Home Assistant still has with <code>npx hearthline history import</code>.
      </Empty>
    );
  const minutes = Math.round((day.toMs - day.fromMs) / MINUTE_MS);
  const onPointer = (event: PointerEvent) => {
    const ribbon = (event.target as Element).closest(".ribbon");
    if (!ribbon) return;
    const { left, width } = ribbon.getBoundingClientRect();
    const share = Math.max(0, Math.min(0.9999, (event.clientX - left) / width));
    setAtMs(day.fromMs + share * (day.toMs - day.fromMs));
  };
  return (
    <div class="rooms" onPointerMove={onPointer} onPointerDown={onPointer}>
      <ul class="legend" aria-label="Legend">
        {LANES.map((lane) => (
          <li key={lane}>
            <span class={`swatch ${lane}`} />
            {LANE_LABELS[lane]}
          </li>
        ))}
      </ul>
      <div class="moment">
        <label for="moment">
          What was on at <output>{atMs === undefined ? "…" : timeText(atMs, clock)}</output>
        </label>
        <input
          id="moment"
          type="range"
          min="0"
          max={minutes - STEP_MINUTES}
          step={STEP_MINUTES}
          value={atMs === undefined ? 0 : Math.round((atMs - day.fromMs) / MINUTE_MS)}
          aria-valuetext={atMs === undefined ? "no time chosen" : timeText(atMs, clock)}
          onInput={(event) => setAtMs(day.fromMs + Number(event.currentTarget.value) * MINUTE_MS)}
        />
      </div>
      <Axis day={day} />
      {rooms.map((room) => (
        <RoomRow key={room.areaId ?? ""} room={room} day={day} atMs={atMs} />
      ))}
      {isCut && (
        <p class="muted small">
          Of this day there are more than {countText(EVENTS_MAX)} events of one kind of entity; only the first are
          shown.
        </p>
      )}
    </div>
  );
}
