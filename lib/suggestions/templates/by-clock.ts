import type { Pattern } from "../../analysis/ports.ts";
import { actionOf } from "../actions.ts";
import { daysInWords, type Names, sunInWords } from "../words.ts";
import { calendarDays, capital, weekdayCondition, withObject } from "./parts.ts";
import type { Template } from "./template.ts";

/** Of kind time-of-day: at a clock time, or by the sun. */
export function draftByClock(pattern: Pattern, names: Names): Template | undefined {
  const { target, at, anchor, offsetMinutes = 0 } = pattern;
  const days = calendarDays(pattern);
  const action = actionOf(target, names.deviceClass(target.entityId));
  if (!action) return undefined;
  const act = withObject(action.words, names.entity(target.entityId));
  const isSun = anchor === "sunrise" || anchor === "sunset";
  if (!isSun && !at) return undefined;
  const when = isSun ? sunInWords(anchor, offsetMinutes) : `at ${at}`;
  return {
    title: capital(`${act} ${when} ${daysInWords(days)}`),
    description: `You ${act} ${isSun ? `about ${when.replace(/^at /, "")}` : `around ${at}`} ${daysInWords(days)}. Home Assistant can do it for you.`,
    automation: {
      mode: "single",
      triggers: [
        isSun
          ? {
              trigger: "sun",
              event: anchor,
              ...(Math.round(offsetMinutes) !== 0 && { offset: offsetText(offsetMinutes) }),
            }
          : { trigger: "time", at: `${at}:00` },
      ],
      conditions: weekdayCondition(days),
      actions: [{ ...action.step }],
    },
    saves: 1,
  };
}

/** `-00:15:00` */
function offsetText(minutes: number): string {
  const whole = Math.round(Math.abs(minutes));
  const two = (value: number) => String(value).padStart(2, "0");
  return `${minutes < 0 ? "-" : ""}${two(Math.floor(whole / 60))}:${two(whole % 60)}:00`;
}
