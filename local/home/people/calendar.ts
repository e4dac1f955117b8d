import { mix, unit } from "../generate/chance.ts";

/** Monday is 0. */
export const weekdayOf = (day: number): number => (day + 3) % 7;

export interface Calendar {
  readonly day: number;
  readonly weekday: number;
  readonly isHoliday: boolean;
  /** Monday to Friday and no holiday: adults work, the child has school. */
  readonly isWorkday: boolean;
  /** `home`; `leaving` (this morning), `away`, `returning` (this afternoon) of a vacation. */
  readonly vacation: "home" | "leaving" | "away" | "returning";
  /** Two guests in the evening. */
  readonly hasGuests: boolean;
  /** October to April. */
  readonly isHeatingSeason: boolean;
  /** Everybody goes out together in the afternoon. */
  readonly hasOuting: boolean;
}

/** Easter Sunday of the Gregorian calendar (the anonymous algorithm of 1876), as a day number. */
function easter(year: number): number {
  const century = Math.floor(year / 100);
  const golden = year % 19;
  const skipped = century - Math.floor(century / 4) - Math.floor((8 * century + 13) / 25);
  const epact = (skipped + 19 * golden + 15) % 30;
  const moon = epact - Math.floor(epact / 28) * (1 - Math.floor(29 / (epact + 1)) * Math.floor((21 - golden) / 11));
  const sunday = (year + Math.floor(year / 4) + moon + 2 - century + Math.floor(century / 4)) % 7;
  const offset = moon - sunday;
  const month = 3 + Math.floor((offset + 40) / 44);
  return dayNumber(year, month, offset + 28 - 31 * Math.floor(month / 4));
}

const dayNumber = (year: number, month: number, date: number): number => Date.UTC(year, month - 1, date) / 86_400_000;

/** The Netherlands' public holidays. */
function isHoliday(day: number): boolean {
  const year = new Date(day * 86_400_000).getUTCFullYear();
  const sunday = easter(year);
  return [
    dayNumber(year, 1, 1),
    sunday + 1,
    dayNumber(year, 4, 27),
    sunday + 39,
    sunday + 50,
    dayNumber(year, 12, 25),
    dayNumber(year, 12, 26),
  ].includes(day);
}

const nextSaturday = (day: number): number => day + ((12 - weekdayOf(day)) % 7);

/** Three vacations a year, each from a Saturday to a Sunday: 8 days in February, 15 in summer, 8 in October. First and last day. */
export function vacationsOf(seed: number, year: number): readonly (readonly [number, number])[] {
  const week = (index: number) => 7 * Math.floor(3 * unit(mix(mix(seed, year), index)));
  const february = nextSaturday(dayNumber(year, 2, 7) + week(1));
  const summer = nextSaturday(dayNumber(year, 7, 15) + week(2));
  const october = nextSaturday(dayNumber(year, 10, 10) + week(3) / 3);
  return [
    [february, february + 8],
    [summer, summer + 15],
    [october, october + 8],
  ];
}

export function calendarOf(seed: number, day: number): Calendar {
  const weekday = weekdayOf(day);
  const month = new Date(day * 86_400_000).getUTCMonth() + 1;
  const holiday = isHoliday(day);
  const found = vacationsOf(seed, new Date(day * 86_400_000).getUTCFullYear()).find(
    ([first, last]) => day >= first && day <= last,
  );
  const vacation = !found ? "home" : day === found[0] ? "leaving" : day === found[1] ? "returning" : "away";
  const isWorkday = weekday < 5 && !holiday;
  const isAtHome = vacation === "home";
  return {
    day,
    weekday,
    isHoliday: holiday,
    isWorkday,
    vacation,
    hasGuests: isAtHome && weekday === 5 && unit(mix(mix(seed, 77), day)) < 0.3,
    isHeatingSeason: month >= 10 || month <= 4,
    hasOuting: isAtHome && !isWorkday && unit(mix(mix(seed, 78), day)) < (weekday === 6 ? 0.4 : 0.55),
  };
}
