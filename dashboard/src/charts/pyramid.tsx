// Age × gender: women to one side, men to the other. Cells that are withheld are hatched stubs; other genders are in the table.
import { scaleLinear } from "d3-scale";
import { useId } from "react";
import { full, percent } from "../lib/format";
import { isRtl } from "../lib/locale";
import { marginOf, type Measure, REASONS, shareOf, valueOf } from "../lib/measure";
import { AGES, ageLabel, GENDER_LABELS } from "../lib/words";
import type { AgeBand, Gender } from "../gql/graphql";
import { Hatch } from "./hatch";
import { useWidth } from "./size";

export type PyramidCell = { age: AgeBand; gender: Gender; share?: number | null; measure: Measure };

const TOP = 28;
const AXIS = 62;
const STUB = 46;
const LABEL = 46;

export function Pyramid({ cells }: { cells: PyramidCell[] }) {
  const [box, width] = useWidth();
  const id = useId();
  const row = width > 480 ? 64 : 46;
  const ages = AGES.filter((age) => age !== "UNKNOWN");
  const most = Math.max(1, ...cells.filter((cell) => cell.gender !== "UNKNOWN" && cell.age !== "UNKNOWN").map((cell) => (valueOf(cell.measure) ?? 0) + (marginOf(cell.measure) ?? 0)));
  const half = (width - AXIS) / 2;
  const scale = scaleLinear([0, most], [0, Math.max(0, half - LABEL)]);
  const height = TOP + ages.length * row;
  const rtl = isRtl();
  const side = (gender: Gender) => ((gender === "FEMALE") !== rtl ? -1 : 1);
  return (
    <div className="plot" ref={box} style={{ minHeight: height }}>
      {width > 0 && (
        <svg className="chart pyramid" width={width} height={height} viewBox={`0 0 ${width} ${height}`} role="img" aria-label="Viewers by age and gender, a population pyramid. The menu above has a table.">
          <Hatch id={id} />
          {(["FEMALE", "MALE"] as const).map((gender) => (
            <text key={gender} className={`pyramid-head ${gender === "FEMALE" ? "tone-a" : "tone-b"}`} x={width / 2 + side(gender) * (AXIS / 2)} y={14} style={{ textAnchor: side(gender) < 0 ? "end" : "start" }}>{GENDER_LABELS[gender]}</text>
          ))}
          {ages.map((age, index) => {
            const top = TOP + index * row;
            return (
              <g key={age}>
                <text className="pyramid-age" x={width / 2} y={top + row / 2 + 1} textAnchor="middle" direction="ltr">{ageLabel(age)}</text>
                {(["FEMALE", "MALE"] as const).map((gender) => {
                  const cell = cells.find((cell) => cell.age === age && cell.gender === gender);
                  if (!cell) return null;
                  const value = valueOf(cell.measure);
                  const share = shareOf(cell);
                  const away = side(gender);
                  const edge = width / 2 + away * (AXIS / 2);
                  const size = value === null ? STUB : Math.max(2, scale(value));
                  const margin = marginOf(cell.measure) ?? 0;
                  const tip = edge + away * size;
                  return (
                    <g key={gender} className={gender === "FEMALE" ? "tone-a" : "tone-b"} data-disclosure={cell.measure.disclosure}>
                      <title>{value === null ? reason(cell.measure) : `${GENDER_LABELS[gender]}, ${ageLabel(age)}: ${full(value)} ± ${full(margin)}`}</title>
                      <rect className={value === null ? "withheld" : "pyramid-bar"} x={away < 0 ? edge - size : edge} y={top + 10} width={size} height={row - 20} rx={4} {...(value === null ? { fill: `url(#${id})` } : {})} />
                      {value !== null && margin > 0 && scale(2 * margin) >= 3 && <path className="whisker" d={`M${edge + away * scale(Math.max(0, value - margin))},${top + row / 2 - 1}H${edge + away * scale(value + margin)}m0,-3v6`} />}
                      {share !== null && <text x={tip + away * (8 + scale(margin))} y={top + row / 2 + 3} style={{ textAnchor: away < 0 ? "end" : "start" }} direction="ltr">{percent(share)}</text>}
                    </g>
                  );
                })}
              </g>
            );
          })}
        </svg>
      )}
    </div>
  );
}

function reason(measure: Measure): string {
  const { disclosure } = measure;
  return disclosure === "EXACT" || disclosure === "NOISY" ? "" : REASONS[disclosure].long;
}
