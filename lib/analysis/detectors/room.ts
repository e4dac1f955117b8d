import { wrapped } from "./circle.ts";
import { parseToken } from "./lines/candidates.ts";
import { DAY_BEGINS_MINUTE, usualTime } from "./lines/usual-time.ts";
import { byText } from "./order.ts";
import { mergeRooms, type RoomRow, roomRows } from "./room/episodes.ts";
import type { Scene } from "./room/scene.ts";
import { scenesOf } from "./room/scenes.ts";
import type { Detector, Finding } from "./types.ts";

const MOST_EVIDENCE_DAYS = 90;

/** Scenes of rooms: what people switch together where they are. */
export const room: Detector<RoomRow> = {
  kind: "room",
  version: 1,
  nightsToHold: 3,
  aggregate: roomRows,
  merge: mergeRooms,
  find: (history) =>
    scenesOf(history)
      .map(findingOf)
      .sort((a, b) => byText(a.key, b.key)),
};

function findingOf(scene: Scene): Finding {
  const { tokens, opportunities, hits, group } = scene;
  const target = parseToken(tokens[0] ?? "");
  return {
    kind: "room",
    key: `${scene.area} ${[...tokens].sort().join(" ")}`,
    target,
    steps: tokens.map(parseToken),
    areaId: scene.area,
    ...(group.days && { days: group.days }),
    ...usualTime(scene.minutes.map((minute) => wrapped(minute + DAY_BEGINS_MINUTE))),
    hits: hits.size,
    opportunities: opportunities.length,
    reliability: scene.reliability,
    significance: scene.q,
    automated: false,
    days90: opportunities
      .map(({ date }) => ({ date, hits: hits.has(date) ? 1 : 0, opportunities: 1 }))
      .slice(-MOST_EVIDENCE_DAYS),
  };
}
