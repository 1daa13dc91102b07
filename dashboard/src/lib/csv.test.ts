import { expect, test } from "vitest";
import { csv, type Table } from "./csv";

const exact = (value: number) => ({ measure: { value, disclosure: "EXACT" as const } });

test("a measure takes three columns, and what is not disclosed is an empty cell beside the reason", () => {
  const table: Table = {
    columns: ["Country", "Viewers", "Share"],
    rows: [
      ["Germany", { measure: { value: 1234, disclosure: "NOISY", marginOfError: 21.4 } }, { share: 0.5 }],
      // A number that came along by mistake is no number.
      ["France", { measure: { value: 7, disclosure: "WITHHELD", marginOfError: 3 } }, { share: null }],
      ["All others", { measure: { value: null, disclosure: "NOT_APPLICABLE" } }, { share: null }],
    ],
  };
  expect(csv(table).split("\r\n")).toEqual([
    "Country,Viewers,Viewers: margin of error,Viewers: disclosure,Share",
    "Germany,1234,21.4,NOISY,0.5",
    "France,,,WITHHELD,",
    "All others,,,NOT_APPLICABLE,",
    "",
  ]);
});

test("texts are quoted where needed, and are no formulas", () => {
  const rows = ['a "b", c', "=1+1", "@x", "-5", "+", "plain"].map((text) => [text, exact(-5)]);
  expect(csv({ columns: ["Title", "Likes"], rows }).split("\r\n").slice(1, -1)).toEqual([
    '"a ""b"", c",-5,,EXACT', "'=1+1,-5,,EXACT", "'@x,-5,,EXACT", "-5,-5,,EXACT", "'+,-5,,EXACT", "plain,-5,,EXACT",
  ]);
});

test("a row that lacks a measure keeps its columns", () => {
  expect(csv({ columns: ["Step", "Views"], rows: [["a", exact(1)], ["b", ""]] }).split("\r\n")[2]).toBe("b,,,");
});
