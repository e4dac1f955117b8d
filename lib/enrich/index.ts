/**
 * Room 5, enrich: from checked records to events with device, area, device class, typed value in a canonical unit, quality, duration in the old state,
 * local time and weather; and the way of a whole batch through ingest and enrichment.
 */
export {
  type EnrichOptions,
  type EnrichPorts,
  enrichBatch,
} from "./enrich-batch.ts";
export { dayPartOf, type EntityFacts, enrichEvent, type HomeFacts } from "./enrich-event.ts";
export { createHomeViews } from "./home-view.ts";
export { fromCanonical, toCanonical, unitTable } from "./units.ts";
export { qualityOf, typedValue } from "./value.ts";
export { createWeatherTimeline, readWeather, WEATHER_MAX_AGE_SECONDS } from "./weather.ts";
