/**
 * One canonical unit a device class, and how Home Assistant's other units convert to it.
 * Sources: core 2026.11.0 and 2024.3.3, `const.py` (UnitOf...), `components/sensor/const.py` (DEVICE_CLASS_UNITS, UNIT_CONVERTERS) and `util/unit_conversion.py`, whose
 * factors these are (US gallons and fluid ounces) unless a line says otherwise; BTU by NIST SP 811, appendix B. A test compares all of them with core's.
 * A unit that is not listed with its device class (ppm beside μg/m³, Beaufort, kWh/100km, ...) is no multiple of the canonical one: its value stays as it is.
 */

/** Canonical = (value + offset) * factor. */
interface Scale {
  readonly factor: number;
  readonly offset: number;
}
export interface Quantity {
  readonly unit: string;
  readonly scales: ReadonlyMap<string, Scale>;
}

const FOOT = 0.3048;
const INCH = 0.0254;
const MILE = 1609.344;
const POUND = 0.45359237;
const GALLON = 3.785411784;
const BTU = 1055.05585262;
const CALORIE = 4.184;
/** US therm. */
const THERM = 1.054804e8;
const STANDARD_GRAVITY = 9.80665;
/** kg/L, of mercury at 0 °C. */
const MERCURY_DENSITY = 13.5951;
/** Grams a mole, divided by ten: mg/dL a mmol/L. */
const GLUCOSE = 18.016;

function quantity(
  unit: string,
  factors: Readonly<Record<string, number>>,
  offsets: Record<string, number> = {},
): Quantity {
  const scales = new Map<string, Scale>([[unit, { factor: 1, offset: 0 }]]);
  for (const [name, factor] of Object.entries(factors)) scales.set(name, { factor, offset: offsets[name] ?? 0 });
  return { unit, scales };
}

const temperature = quantity("°C", { "°F": 5 / 9, K: 1 }, { "°F": -32, K: -273.15 });
const energy = quantity("kWh", {
  mWh: 1e-6,
  Wh: 1e-3,
  MWh: 1e3,
  GWh: 1e6,
  TWh: 1e9,
  J: 1 / 3.6e6,
  kJ: 1 / 3600,
  MJ: 1 / 3.6,
  GJ: 1000 / 3.6,
  cal: CALORIE / 3.6e6,
  kcal: CALORIE / 3600,
  Mcal: CALORIE / 3.6,
  Gcal: (CALORIE * 1000) / 3.6,
  thm: THERM / 3.6e6,
});
const pressure = quantity("hPa", {
  mPa: 1e-5,
  Pa: 0.01,
  kPa: 10,
  mbar: 1,
  cbar: 10,
  bar: 1000,
  mmHg: (STANDARD_GRAVITY * MERCURY_DENSITY) / 100,
  inHg: (INCH * 1000 * STANDARD_GRAVITY * MERCURY_DENSITY) / 100,
  "inH₂O": 2.490889083333348,
  // Core rounds to 6894.757 Pa.
  psi: (POUND * STANDARD_GRAVITY) / INCH ** 2 / 100,
  atm: 1013.25,
});
// km/h and not m/s: what Home Assistant shows in its metric unit system, so sensors compare with the weather of an event.
const speed = quantity("km/h", {
  "m/s": 3.6,
  "m/min": 0.06,
  "mm/s": 0.0036,
  "mm/h": 1e-6,
  "mm/d": 1e-6 / 24,
  "in/s": INCH * 3.6,
  "in/h": INCH / 1000,
  "in/d": INCH / 24_000,
  "ft/s": FOOT * 3.6,
  mph: MILE / 1000,
  kn: 1.852,
});
const distance = quantity("m", { mm: 1e-3, cm: 0.01, km: 1000, in: INCH, ft: FOOT, yd: FOOT * 3, mi: MILE, nmi: 1852 });
const litres = {
  mL: 1e-3,
  "m³": 1000,
  "ft³": (FOOT * 10) ** 3,
  CCF: (FOOT * 10) ** 3 * 100,
  MCF: (FOOT * 10) ** 3 * 1000,
  gal: GALLON,
  "fl. oz.": GALLON / 128,
};
const volume = quantity("L", litres);
// Gas meters count cubic metres, and so does what gas is billed by.
const gas = quantity(
  "m³",
  Object.fromEntries(
    [...Object.entries(litres).filter(([unit]) => unit !== "m³"), ["L", 1]].map(([unit, factor]) => [
      unit,
      Number(factor) / 1000,
    ]),
  ),
);
const volumeFlow = quantity("L/min", {
  "mL/s": 0.06,
  "L/s": 60,
  "L/h": 1 / 60,
  "m³/s": 60_000,
  "m³/min": 1000,
  "m³/h": 1000 / 60,
  "ft³/min": (FOOT * 10) ** 3,
  "gal/min": GALLON,
  "gal/h": GALLON / 60,
  "gal/d": GALLON / 1440,
});
const bits = {
  bit: 1,
  kbit: 1e3,
  Mbit: 1e6,
  Gbit: 1e9,
  B: 8,
  ...bytes(["kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"], 1000),
  ...bytes(["KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"], 1024),
};
// What a device says of the air is a mass in a volume, or parts of a million or billion. One becomes the other only for an assumed temperature and pressure
// (core takes 20 °C and 1013.25 hPa), so the latter stay as they are.
const MASSES_IN_AIR =
  `pm1 pm4 pm10 pm25 carbon_monoxide nitrogen_dioxide nitrogen_monoxide nitrous_oxide ozone sulphur_dioxide
  volatile_organic_compounds`.split(/\s+/);
const massInAir = quantity("μg/m³", { ...micro("g/m³", 1), "mg/m³": 1e3 });

/** By device class. */
export const QUANTITIES: ReadonlyMap<string, Quantity> = new Map(
  Object.entries({
    temperature,
    temperature_delta: quantity("°C", { "°F": 5 / 9, K: 1 }),
    energy,
    energy_storage: energy,
    power: quantity("W", { mW: 1e-3, kW: 1e3, MW: 1e6, GW: 1e9, TW: 1e12, "BTU/h": BTU / 3600 }),
    apparent_power: quantity("VA", { mVA: 1e-3, kVA: 1e3 }),
    reactive_power: quantity("var", { mvar: 1e-3, kvar: 1e3 }),
    reactive_energy: quantity("kvarh", { varh: 1e-3 }),
    pressure,
    atmospheric_pressure: pressure,
    speed,
    wind_speed: speed,
    precipitation: quantity("mm", { cm: 10, in: INCH * 1000 }),
    precipitation_intensity: quantity("mm/h", { "mm/d": 1 / 24, "in/h": INCH * 1000, "in/d": (INCH * 1000) / 24 }),
    distance,
    volume,
    volume_storage: volume,
    water: volume,
    gas,
    volume_flow_rate: volumeFlow,
    weight: quantity("kg", { ...micro("g", 1e-9), mg: 1e-6, g: 1e-3, oz: POUND / 16, lb: POUND, st: POUND * 14 }),
    duration: quantity("s", { ...micro("s", 1e-6), ms: 1e-3, min: 60, h: 3600, d: 86_400, w: 604_800 }),
    current: quantity("A", { ...micro("A", 1e-6), mA: 1e-3 }),
    voltage: quantity("V", { ...micro("V", 1e-6), mV: 1e-3, kV: 1e3, MV: 1e6 }),
    frequency: quantity("Hz", { mHz: 1e-3, kHz: 1e3, MHz: 1e6, GHz: 1e9 }),
    irradiance: quantity("W/m²", { "BTU/(h⋅ft²)": BTU / 3600 / FOOT ** 2 }),
    conductivity: quantity("μS/cm", { ...micro("S/cm", 1), "mS/cm": 1e3, "S/cm": 1e6 }),
    area: quantity("m²", {
      "mm²": 1e-6,
      "cm²": 1e-4,
      "km²": 1e6,
      "in²": INCH ** 2,
      "ft²": FOOT ** 2,
      "yd²": (FOOT * 3) ** 2,
      "mi²": MILE ** 2,
      ac: 4046.8564224,
      ha: 1e4,
    }),
    absolute_humidity: quantity("g/m³", { "mg/m³": 1e-3 }),
    blood_glucose_concentration: quantity("mmol/L", { "mg/dL": 1 / GLUCOSE }),
    ...Object.fromEntries(MASSES_IN_AIR.map((deviceClass) => [deviceClass, massInAir])),
    volatile_organic_compounds_parts: quantity("ppb", { ppm: 1e3 }),
    radon: quantity("Bq/m³", { "pCi/L": 37 }),
    data_size: quantity("MB", ofBits(8e6, bits)),
    data_rate: quantity("Mbit/s", ofBits(1e6, bits, "/s")),
  }),
);

/** The micro sign was U+00B5 in older versions of core (2024.3) and is the Greek letter U+03BC now (2026.11). */
function micro(unit: string, factor: number): Record<string, number> {
  return { [`\u00B5${unit}`]: factor, [`\u03BC${unit}`]: factor };
}

/** Bits of each unit, of which each is `step` times the one before. */
function bytes(units: readonly string[], step: number): Record<string, number> {
  return Object.fromEntries(units.map((unit, at) => [unit, 8 * step ** (at + 1)]));
}

function ofBits(unitBits: number, table: Readonly<Record<string, number>>, suffix = ""): Record<string, number> {
  return Object.fromEntries(Object.entries(table).map(([unit, size]) => [`${unit}${suffix}`, size / unitBits]));
}
