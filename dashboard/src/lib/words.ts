// Closed sets of the API in the words of the page.
import type { AgeBand, Gender, Stage } from "../gql/graphql";
import { country } from "./format";

export const AGES: AgeBand[] = ["AGE_13_17", "AGE_18_24", "AGE_25_34", "AGE_35_44", "AGE_45_54", "AGE_55_64", "AGE_65_PLUS", "UNKNOWN"];

export function ageLabel(age: AgeBand): string {
  return age === "UNKNOWN" ? "Unknown" : age === "AGE_65_PLUS" ? "65+" : age.slice(4).replace("_", "–");
}

export const GENDER_LABELS: Record<Gender, string> = { FEMALE: "Women", MALE: "Men", OTHER: "Other genders", UNKNOWN: "Not said" };
export const STAGE_LABELS: Record<Stage, string> = { SAW: "Saw", VIEWED: "Viewed", ENGAGED: "Engaged", FOLLOWED: "Followed" };

const KEYS: Record<string, string> = {
  unknown: "Unknown", for_you: "For You", following: "Following", profile: "Profile", search: "Search", hashtag: "Hashtag pages", sound: "Sound pages",
  share: "Shared links", notification: "Notifications", external: "Other sites", other: "Other", ios: "iOS", android: "Android", web: "Web", tv: "TV", tablet: "Tablet",
  female: "Women", male: "Men", "65+": "65+",
};

/** A row's key as events spell it. */
export function keyLabel(key: string): string {
  return KEYS[key] ?? key.replaceAll("_", " ").replace("-", "–");
}

export function countryLabel(key: string): string {
  return key === "unknown" ? "Unknown" : country(key);
}
