export interface FloorSpec {
  readonly id: string;
  readonly name: string;
  readonly level: number;
  readonly icon: string;
  readonly aliases: readonly string[];
}

export interface AreaSpec {
  readonly id: string;
  readonly name: string;
  readonly floor: string | null;
  readonly icon: string | null;
  readonly labels: readonly string[];
}

export const FLOORS: readonly FloorSpec[] = [
  { id: "ground_floor", name: "Ground floor", level: 0, icon: "mdi:home-floor-0", aliases: ["downstairs"] },
  { id: "first_floor", name: "First floor", level: 1, icon: "mdi:home-floor-1", aliases: ["upstairs"] },
];

const area = (id: string, name: string, floor: string | null, icon: string | null): AreaSpec => ({
  id,
  name,
  floor,
  icon,
  labels: id === "garden" ? ["outdoors"] : [],
});

export const AREAS: readonly AreaSpec[] = [
  area("hall", "Hall", "ground_floor", "mdi:coat-rack"),
  area("living_room", "Living room", "ground_floor", "mdi:sofa"),
  area("kitchen", "Kitchen", "ground_floor", "mdi:stove"),
  area("study", "Study", "ground_floor", "mdi:desk"),
  area("landing", "Landing", "first_floor", "mdi:stairs"),
  area("bedroom", "Bedroom", "first_floor", "mdi:bed"),
  area("kids_room", "Kids room", "first_floor", "mdi:teddy-bear"),
  area("bathroom", "Bathroom", "first_floor", null),
  area("garden", "Garden", null, "mdi:flower"),
];

export const LABELS = [
  { id: "outdoors", name: "Outdoors", color: "green", icon: "mdi:tree", description: "outside the house" },
  { id: "critical", name: "Critical", color: "red", icon: "mdi:alert", description: null },
  { id: "child_safe", name: "Child safe", color: null, icon: null, description: "may be switched by Mia" },
] as const;

/** The rooms in which people are; `away` is everywhere else. */
export const ROOMS = [
  "hall",
  "living_room",
  "kitchen",
  "study",
  "landing",
  "bedroom",
  "kids_room",
  "bathroom",
] as const;
export type Room = (typeof ROOMS)[number];

/** Windowless: the lamp is wanted by day as well. */
export const WINDOWLESS: readonly Room[] = ["bathroom"];
