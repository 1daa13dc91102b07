// From the two letters of the API to the three digits of the map.
import codes from "i18n-iso-countries/codes.json";

export const NUMBERS: Record<string, string> = Object.fromEntries((codes as string[][]).map(([two, , digits]) => [two, digits]));
