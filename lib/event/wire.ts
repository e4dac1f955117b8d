import { formatIsoUs, parseIsoUs } from "../base/time.ts";
import type { HomeEvent } from "./event.ts";

/** An event as the API and exports show it: Home Assistant's snake_case names, times as ISO text with six decimals. */
export function toWireEvent(event: HomeEvent) {
  const { context, weather } = event;
  return {
    home_id: event.homeId,
    entity_id: event.entityId,
    state: event.state,
    ...(event.value !== undefined && { value: event.value }),
    ...(event.unit !== undefined && { unit: event.unit }),
    quality: event.quality,
    kind: event.kind,
    last_changed: formatIsoUs(event.lastChangedUs),
    last_updated: formatIsoUs(event.atUs),
    ...(event.oldState !== undefined && { old_state: event.oldState }),
    ...(event.secondsInOldState !== undefined && { seconds_in_old_state: event.secondsInOldState }),
    ...(event.areaId !== undefined && { area_id: event.areaId }),
    ...(event.deviceId !== undefined && { device_id: event.deviceId }),
    domain: event.domain,
    ...(event.deviceClass !== undefined && { device_class: event.deviceClass }),
    local_time: event.localTime,
    day_part: event.dayPart,
    origin: event.origin,
    source: event.source,
    context: {
      id: context.id,
      ...(context.parentId !== undefined && { parent_id: context.parentId }),
      ...(context.userId !== undefined && { user_id: context.userId }),
    },
    attributes: event.attributes,
    ...(weather !== undefined && {
      weather: {
        condition: weather.condition,
        ...(weather.temperature !== undefined && { temperature: weather.temperature }),
        ...(weather.humidity !== undefined && { humidity: weather.humidity }),
        ...(weather.windSpeed !== undefined && { wind_speed: weather.windSpeed }),
        ...(weather.pressure !== undefined && { pressure: weather.pressure }),
      },
    }),
  };
}

export type WireEvent = ReturnType<typeof toWireEvent>;

/** The event behind what the API shows, to the microsecond. @throws HearthlineError `event_time_invalid` */
export function fromWireEvent(wire: WireEvent): HomeEvent {
  const { context, weather } = wire;
  return {
    homeId: wire.home_id,
    entityId: wire.entity_id,
    atUs: parseIsoUs(wire.last_updated),
    lastChangedUs: parseIsoUs(wire.last_changed),
    kind: wire.kind,
    source: wire.source,
    state: wire.state,
    ...(wire.value !== undefined && { value: wire.value }),
    ...(wire.unit !== undefined && { unit: wire.unit }),
    quality: wire.quality,
    ...(wire.old_state !== undefined && { oldState: wire.old_state }),
    ...(wire.seconds_in_old_state !== undefined && { secondsInOldState: wire.seconds_in_old_state }),
    ...(wire.area_id !== undefined && { areaId: wire.area_id }),
    ...(wire.device_id !== undefined && { deviceId: wire.device_id }),
    domain: wire.domain,
    ...(wire.device_class !== undefined && { deviceClass: wire.device_class }),
    localTime: wire.local_time,
    dayPart: wire.day_part,
    origin: wire.origin,
    context: {
      id: context.id,
      ...(context.parent_id !== undefined && { parentId: context.parent_id }),
      ...(context.user_id !== undefined && { userId: context.user_id }),
    },
    attributes: wire.attributes,
    ...(weather !== undefined && {
      weather: {
        condition: weather.condition,
        ...(weather.temperature !== undefined && { temperature: weather.temperature }),
        ...(weather.humidity !== undefined && { humidity: weather.humidity }),
        ...(weather.wind_speed !== undefined && { windSpeed: weather.wind_speed }),
        ...(weather.pressure !== undefined && { pressure: weather.pressure }),
      },
    }),
  };
}
