import { describe, expect, it } from "vitest";
import { createWeatherTimeline, readWeather, WEATHER_MAX_AGE_SECONDS } from "../../lib/enrich/index.ts";
import { stateRecord } from "../support/records.ts";

const weather = (state: string, attributes: Record<string, unknown>) =>
  readWeather(stateRecord({ entity_id: "weather.forecast_home", state, attributes }));

describe("weather", () => {
  it("is read in metric units, whatever the home shows", () => {
    expect(
      weather("partlycloudy", {
        temperature: 50,
        temperature_unit: "°F",
        humidity: 80,
        pressure: 30,
        pressure_unit: "inHg",
        wind_speed: 10,
        wind_speed_unit: "mph",
      }),
    ).toEqual({
      condition: "partlycloudy",
      temperature: 10,
      humidity: 80,
      pressure: 1015.9165921,
      windSpeed: 16.09344,
    });
    expect(weather("sunny", { temperature: 21.5, wind_speed: 5, wind_speed_unit: "m/s" })).toEqual({
      condition: "sunny",
      temperature: 21.5,
      windSpeed: 18,
    });
  });

  it("leaves out what is no number or in a unit without a factor", () => {
    expect(weather("fog", { temperature: "21", humidity: null, wind_speed: 3, wind_speed_unit: "Beaufort" })).toEqual({
      condition: "fog",
    });
  });

  it("is told by weather entities alone, and not while they know nothing", () => {
    expect(weather("unavailable", { temperature: 3 })).toBeUndefined();
    expect(weather("unknown", {})).toBeUndefined();
    expect(weather("x".repeat(65), {})).toBeUndefined();
    expect(readWeather(stateRecord({ entity_id: "sensor.weather", state: "sunny" }))).toBeUndefined();
  });

  it("of an event is the latest before it, up to three hours old", () => {
    const point = (condition: string, atUs: number) => ({ weather: { condition }, atUs });
    const at = createWeatherTimeline([point("rainy", 2e9), point("sunny", 1e9), point("fog", 3e9)]);
    expect(at(999_999_999)).toBeUndefined();
    expect(at(1e9)?.condition).toBe("sunny");
    expect(at(2e9 - 1)?.condition).toBe("sunny");
    expect(at(2e9)?.condition).toBe("rainy");
    expect(at(3e9 + WEATHER_MAX_AGE_SECONDS * 1e6)?.condition).toBe("fog");
    expect(at(3e9 + WEATHER_MAX_AGE_SECONDS * 1e6 + 1)).toBeUndefined();
    expect(createWeatherTimeline([])(1)).toBeUndefined();
  });
});
